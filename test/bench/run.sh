#!/usr/bin/env bash
# run.sh: the benchmarks, all against one throw-away server.
#
#   test/bench/run.sh                 every benchmark
#   test/bench/run.sh speed metrics   these only
#
# A benchmark is test/bench/NAME.sh, .py or .sql; it prints both sides of its comparison in one run. It
# finds a server in PGHOST, PGPORT, PGUSER and PGDATABASE, where mlplat is installed. NAME.c needs no
# server: it is linked with the pure code. BENCH_ROWS is the size (1,000,000), MLPLAT_DATA the folder of
# real data sets for those that want one.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
need_packages "${base_packages[@]}"
want_packages python3 python3-psycopg2 python3-numpy python3-pandas python3-sklearn python3-xgboost

# run_file FILE: run one benchmark in its folder. Debian's python3 is the one that has Debian's modules.
run_file() {
    case $1 in
        *.sh) bash "$1" ;;
        *.py) /usr/bin/python3 "$1" ;;
        *.sql) psql -X -v ON_ERROR_STOP=1 -v rows="$BENCH_ROWS" -f "$1" ;;
        *.c) make -s -C "$work/source" "build/bench/${1%.c}" && "$work/source/build/bench/${1%.c}" ;;
    esac
}

cd "$here/test/bench"
files=()
for file in *.sh *.py *.sql *.c; do
    case $file in run.sh | common.py | '*'*) continue ;; esac
    [ $# -eq 0 ] || [[ " $* " == *" ${file%.*} "* ]] && files+=("$file")
done
[ ${#files[@]} -gt 0 ] || die "no such benchmark: $*"
make_prefix
say "Building mlplat ..."
build_and_install
start_cluster bench "shared_buffers = 1GB" "work_mem = 256MB" "maintenance_work_mem = 512MB"
export BENCH_ROWS=${BENCH_ROWS:-1000000}
failed=()
for file in "${files[@]}"; do
    say ""
    say "== $file"
    run_file "$file" || failed+=("$file")
done
[ ${#failed[@]} -eq 0 ] || die "failed: ${failed[*]}"
