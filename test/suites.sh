# suites.sh: the suites of tests, each a function that ends with "NAME: N passed, N failed[, N skipped]".
#
# They run in the copy of the sources that lib.sh makes, after its make_prefix; regress, isolation and
# names need a cluster. Source it after lib.sh. What a suite needs and does not find, it skips, saying so.

# The MariaDB packages hold the server's program, but no service that would be started.
test_packages=(chromium python3 openssl libipc-run-perl clang-format-14 mariadb-server-core mariadb-client-core postgresql-15-mysql-fdw python3-psycopg2 python3-sqlalchemy libpostgresql-jdbc-java)
# PgBouncer's starts one: on machines that are made for the tests only.
[ -z "${CI:-}" ] || test_packages+=(pgbouncer)

# summary NAME PASSED FAILED [SKIPPED]: the last line of a suite.
summary() {
    if [ "${4:-0}" -gt 0 ]; then
        say "$1: $2 passed, $3 failed, $4 skipped"
    else
        say "$1: $2 passed, $3 failed"
    fi
}

# skip NAME REASON: a suite that cannot run here.
skip() {
    say "# $1 skipped: $2"
    summary "$1" 0 0 1
}

# verdict NAME COMMAND...: one test that is a command; its output is shown where it fails.
verdict() {
    local name=$1
    shift
    if "$@" >"$work/$name.log" 2>&1; then
        summary "$name" 1 0
    else
        tail -n 40 "$work/$name.log"
        summary "$name" 0 1
    fi
}

# count PATTERN FILE: how many lines match.
count() { grep -cE "$1" "$2" || true; }

# The whole build, and that it was silent.
suite_build() {
    copy_source
    if ! make -s -C "$work/source" -j"$(nproc)" all ${CI:+COPT=-Werror} >"$work/build.log" 2>&1 ||
        ! make -s -C "$work/source" install >>"$work/build.log" 2>&1; then
        tail -n 40 "$work/build.log"
        summary build 0 1
        return
    fi
    if grep -E 'warning:' "$work/build.log"; then
        summary build 1 1
    else
        summary build 2 0
    fi
}

suite_layers() { verdict layers make -s -C "$work/source" layers; }

# The pinned configuration is one of clang-format 14; others format otherwise.
suite_format() {
    local program
    for program in clang-format-14 clang-format; do
        "$program" --version 2>/dev/null | grep -q 'version 14\.' || continue
        verdict format make -s -C "$work/source" format-check CLANG_FORMAT="$program"
        return
    done
    skip format "clang-format 14 is not there (package clang-format-14)"
}

suite_unit() {
    make -s -C "$work/source" -j"$(nproc)" unit >"$work/unit.log" 2>&1 && :
    local status=$?
    tail -n 60 "$work/unit.log"
    # Without its last line it did not even build.
    grep -qE '^unit: ' "$work/unit.log" || [ "$status" -eq 0 ] || summary unit 0 1
}

# Damaged images: each seed with random damage, under the sanitizers.
suite_fuzz() { verdict fuzz make -s -C "$work/source" -j"$(nproc)" fuzz-corpus; }

# regress_like NAME TARGET...: what pg_regress or its relative for isolation says, counted.
regress_like() {
    local name=$1 log=$work/$1.log passed failed status=0
    shift
    make -s -C "$work/source" "$@" >"$log" 2>&1 || status=$?
    passed=$(count '^ok [0-9]+|^test .* \.\.\. ok' "$log")
    failed=$(count '^not ok [0-9]+|^test .* \.\.\. FAILED' "$log")
    if [ "$status" -ne 0 ]; then
        grep -E '^not ok|FAILED' "$log" || tail -n 30 "$log"
        find "$work/source" -name regression.diffs -newer "$work/source/Makefile" -exec head -n 120 {} +
        [ "$failed" -gt 0 ] || failed=1
    fi
    summary "$name" "$passed" "$failed"
}

suite_regress() {
    compgen -G "$work/source/test/sql/*.sql" >/dev/null || { skip regress "no tests"; return; }
    regress_like regress installcheck
}

suite_isolation() {
    compgen -G "$work/source/test/specs/*.spec" >/dev/null || { skip isolation "no tests"; return; }
    regress_like isolation isolation
}

# The tests that start clusters of their own: as an unprivileged user, because servers refuse root.
suite_tap() {
    local log=$work/tap.log pgxs modules passed failed skipped status=0
    compgen -G "$work/source/test/t/*.pl" >/dev/null || { skip tap "no tests"; return; }
    pgxs=$("$PG_CONFIG" --pgxs)
    modules=${pgxs%/makefiles/pgxs.mk}/test
    perl -MIPC::Run -MTest::More -e 1 2>/dev/null || { skip tap "IPC::Run is not there (package libipc-run-perl)"; return; }
    [ -e "$modules/perl/PostgreSQL/Test/Cluster.pm" ] || { skip tap "this server comes without PostgreSQL::Test::Cluster"; return; }
    mkdir -p "$work/tap" "$work/t"
    [ "$(id -u)" -ne 0 ] || chown "$cluster_user" "$work/tap" "$work/t"
    make_small_disk
    (
        cd "$work/source"
        # The server's address is not theirs.
        unset PGHOST PGPORT PGUSER PGDATABASE
        as_user env TESTDIR="$work/tap" TESTDATADIR="$work/tap/data" TESTLOGDIR="$work/tap/log" TMPDIR="$work/t" \
            PG_REGRESS="$modules/regress/pg_regress" MLPLAT_DATA="${MLPLAT_DATA:-$here/../shared/data}" MLPLAT_SMALL_DISK="$small_disk" PGPORT=65432 prove -v -I "$modules/perl" -I test/t test/t/*.pl
    ) >"$log" 2>&1 || status=$?
    skipped=$(count '^ok .*# skip|^1\.\.0 # SKIP' "$log")
    passed=$(($(count '^ok ' "$log") - $(count '^ok .*# skip' "$log")))
    failed=$(count '^not ok ' "$log")
    if [ "$status" -ne 0 ]; then
        grep -E -A 12 '^not ok|^#   Failed|Dubious' "$log" | head -n 80
        [ "$failed" -gt 0 ] || failed=1
    fi
    summary tap "$passed" "$failed" "$skipped"
}

# The report page in a browser.
suite_browser() {
    command -v python3 >/dev/null || { skip browser "python3 is not there"; return; }
    command -v chromium >/dev/null || { skip browser "chromium is not there"; return; }
    make -s -C "$work/source" build/browser/page >"$work/browser.log" 2>&1 ||
        { tail -n 20 "$work/browser.log"; summary browser 0 1; return; }
    (cd "$work/source" && TMPDIR=$work python3 test/browser/run.py build/browser/page) && :
    [ $? -le 1 ] || summary browser 0 1
}

# What is public has a comment and stands in the README; what the README names exists.
suite_names() {
    "$here/test/names.sh" && :
    [ $? -le 1 ] || summary names 0 1
}
