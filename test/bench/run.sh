#!/usr/bin/env bash
# run.sh: the benchmarks, each against one throw-away server with the settings below.
#
#   test/bench/run.sh                every benchmark
#   test/bench/run.sh roc_auc ...    these only
#
# A benchmark is test/bench/NAME.sql (psql, \timing as it likes), NAME.sh or NAME.py; it prints both
# sides of its comparison in one run. It finds a server in PGHOST, PGPORT, PGUSER and PGDATABASE, where
# mlplat is created already, and its own folder in BENCH_DIR. Set BENCH_ROWS for other sizes.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need_packages "${base_packages[@]}"

# The program that runs a benchmark file.
runner() {
    case $1 in
        *.sql) psql -X -v ON_ERROR_STOP=1 -v rows="${BENCH_ROWS:-1000000}" -f "$1" ;;
        *.sh) bash "$1" ;;
        *.py) python3 "$1" ;;
    esac
}

names=("$@")
[ $# -gt 0 ] || mapfile -t names < <(cd "$here/test/bench" && ls -- *.sql *.sh *.py 2>/dev/null | grep -vx run.sh)
[ ${#names[@]} -gt 0 ] || die "there are no benchmarks yet"
make_prefix
build_and_install
start_cluster bench "shared_buffers = 1GB" "work_mem = 256MB" "maintenance_work_mem = 512MB" \
    "max_parallel_workers_per_gather = 2" "jit = off"
psql -Xq -c "CREATE EXTENSION mlplat"
export BENCH_DIR=$work/source/test/bench BENCH_ROWS=${BENCH_ROWS:-1000000}
failed=0
for name in "${names[@]}"; do
    file=$(cd "$BENCH_DIR" && ls -- "$name" "$name".sql "$name".sh "$name".py 2>/dev/null | head -n 1)
    [ -n "$file" ] || die "no such benchmark: $name"
    say ""
    say "== $file"
    (cd "$BENCH_DIR" && runner "$file") || { say "# $file failed"; failed=$((failed + 1)); }
done
[ "$failed" -eq 0 ]
