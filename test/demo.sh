#!/usr/bin/env bash
# demo.sh: the main job on real flights, in a throw-away server of its own.
#
#   test/demo.sh                 run it; the report is written to ./mlplat-report.html
#   test/demo.sh --keep          then leave the server running until Enter (or Ctrl-C), to go on playing
#   test/demo.sh --report FILE   write the report elsewhere
. "$(dirname "$0")/lib.sh"

keep=
report=$PWD/mlplat-report.html
while [ $# -gt 0 ]; do
    case "$1" in
        --keep) keep=1 ;;
        --report) [ $# -gt 1 ] || die "--report needs a file"; report=$2; shift ;;
        *) die "unknown argument $1; there are --keep and --report FILE" ;;
    esac
    shift
done

need_packages "${base_packages[@]}"
make_prefix
say "Building mlplat ..."
build_and_install
start_cluster demo
cp "$here/test/data/airline_200k.csv.gz" "$work/flights.csv.gz"
chmod 644 "$work/flights.csv.gz"

psql -X -q -v csv="$work/flights.csv.gz" -f "$here/test/demo.sql"
psql -X -q -A -t -c "SELECT mlplat.report('late')" >"$report"

say
say "== 10. The report: one self-contained page about the model."
say "   SELECT mlplat.report('late')   ->   $report"
say
if [ -n "$keep" ]; then
    say "The server runs. Connect from another terminal and go on playing:"
    say "    $bin/psql -h $PGHOST -p $PGPORT -U $PGUSER $PGDATABASE"
    say "Press Enter to stop it."
    read -r _ || sleep infinity
else
    say "To connect and go on playing: test/demo.sh --keep leaves the server running, and says how."
fi
say "Stopping the server and removing its files."
