#!/usr/bin/env bash
# all.sh: every test there is, against a throw-away server. Ends with "N passed, N failed".
#
#   test/all.sh                    everything
#   test/all.sh unit regress ...   these suites only (build always runs)
#
# Suites: build layers format unit fuzz regress isolation tap browser names. Packages that are missing are
# installed as root; otherwise the line that installs them is printed. PG_CONFIG chooses a server.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$here/test/suites.sh"

suites=(layers format unit fuzz regress isolation tap browser names)
for suite in "$@"; do
    [[ " build ${suites[*]} " == *" $suite "* ]] || die "no such suite: $suite (there are: build ${suites[*]})"
done
[ $# -eq 0 ] || suites=("$@")
passed=0 failed=0 skipped=0

# run SUITE: show what it says, and add the numbers of its last line.
run() {
    local line numbers=()
    say ""
    say "== $1"
    "suite_$1" 2>&1 | while IFS= read -r line || [ -n "$line" ]; do
        say "$line"
        [[ $line =~ ^$1:\ [0-9]+\ passed ]] && say "${line//[^0-9 ]/}" >"$work/$1.result"
    done || true
    [ ! -e "$work/$1.result" ] || read -r -a numbers <"$work/$1.result"
    if [ ${#numbers[@]} -lt 2 ]; then
        say "# $1 ended without a result"
        numbers=(0 1)
    fi
    passed=$((passed + numbers[0])) failed=$((failed + numbers[1])) skipped=$((skipped + ${numbers[2]:-0}))
}

need_packages "${base_packages[@]}"
want_packages "${test_packages[@]}"
make_prefix
say "server: $("$PG_CONFIG" --version)"
run build
if [ "$failed" -eq 0 ] || [ "$passed" -gt 0 ]; then
    start_cluster main "max_worker_processes = 16"
    for suite in "${suites[@]}"; do
        [ "$suite" = build ] || run "$suite"
    done
fi
say ""
say "$passed passed, $failed failed$([ "$skipped" -eq 0 ] || printf ', %s skipped' "$skipped")"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
