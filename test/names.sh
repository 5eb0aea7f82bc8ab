#!/usr/bin/env bash
# names.sh: the README and the catalog tell the same names. Needs a server with mlplat (PGHOST and so on).
#
# Rules: everything that the README calls mlplat.NAME exists (a function, relation, type or setting); every
# public function, and every table and view with its columns, has a COMMENT; every public function and every
# view stands in the README. Public is what is not a part of an aggregate, a type, a trigger or the planner.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
readme=${1:-$here/README.md}
passed=0 failed=0

ok() { passed=$((passed + 1)); }
bad() { echo "not ok $*"; failed=$((failed + 1)); }
query() { psql -XAtq -v ON_ERROR_STOP=1 -d "$db" -c "$1"; }

db=mlplat_names_$$
psql -XAtq -v ON_ERROR_STOP=1 -c "CREATE DATABASE $db"
trap 'psql -XAtq -c "DROP DATABASE IF EXISTS $db" >/dev/null' EXIT
query "CREATE EXTENSION mlplat"

# Functions that SQL users call: not the parts of aggregates, types and triggers.
public=$(query "
    SELECT DISTINCT p.proname
      FROM pg_proc p
      JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
      JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'mlplat'
     WHERE p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
       AND NOT EXISTS (SELECT FROM pg_aggregate a
                        WHERE p.oid IN (a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn,
                                        a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn))
       AND NOT EXISTS (SELECT FROM pg_proc s WHERE s.prosupport = p.oid)
       AND NOT EXISTS (SELECT FROM pg_type t
                        WHERE p.oid IN (t.typinput, t.typoutput, t.typreceive, t.typsend, t.typmodin, t.typmodout))
     ORDER BY 1")
silent=$(query "
    SELECT p.oid::regprocedure
      FROM pg_proc p
      JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
      JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'mlplat'
     WHERE p.proname = ANY ('{$(echo $public | tr ' ' ,)}') AND obj_description(p.oid, 'pg_proc') IS NULL
     ORDER BY 1")
views=$(query "SELECT relname FROM pg_class WHERE relnamespace = 'mlplat'::regnamespace AND relkind = 'v' ORDER BY 1")
silent_relations=$(query "
    SELECT concat_ws('.', c.relname, a.attname) FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND c.relkind = 'v'
     WHERE c.relnamespace = 'mlplat'::regnamespace AND c.relkind IN ('r', 'v')
       AND (obj_description(c.oid, 'pg_class') IS NULL OR (a.attnum > 0 AND col_description(c.oid, a.attnum) IS NULL))
     ORDER BY 1")
known=$(query "
    LOAD 'mlplat';
    SELECT proname FROM pg_proc WHERE pronamespace = 'mlplat'::regnamespace
     UNION SELECT relname FROM pg_class WHERE relnamespace = 'mlplat'::regnamespace
     UNION SELECT typname FROM pg_type WHERE typnamespace = 'mlplat'::regnamespace
     UNION SELECT substr(name, 8) FROM pg_settings WHERE name LIKE 'mlplat.%'")

for name in $public; do
    if grep -qxF "$name" <<<"$(sed 's/(.*//; s/^mlplat\.//' <<<"$silent")"; then bad "function without a COMMENT: $name"; else ok; fi
done
if [ -z "$silent_relations" ]; then ok; fi
for name in $silent_relations; do bad "table, view or column of a view without a COMMENT: $name"; done
if [ ! -e "$readme" ]; then
    echo "# no README.md: its names are not checked"
    echo "names: $passed passed, $failed failed, 1 skipped"
    exit $((failed > 0))
fi
for name in $public $views; do
    if grep -qwF -- "$name" "$readme"; then ok; else bad "public function or view that the README does not name: $name"; fi
done
for name in $(grep -oE '\bmlplat\.[a-z][a-z0-9_]*' "$readme" | cut -d. -f2 | sort -u); do
    case $name in control | so | c | h) continue ;; esac
    if grep -qxF "$name" <<<"$known"; then ok; else bad "the README names mlplat.$name, which does not exist"; fi
done
echo "names: $passed passed, $failed failed"
exit $((failed > 0))
