#!/usr/bin/env bash
# Run the unit test programs given as arguments; each prints "ok"/"not ok" lines and exits non-zero on failure.
passed=0 failed=0
for program in "$@"; do
    if output=$("$program" 2>&1); then :; else
        printf '%s\n' "$output" | grep -v '^ok' | head -n 60
        printf '%s' "$output" | grep -q '^not ok' || { echo "not ok $(basename "$program") ended badly"; failed=$((failed + 1)); }
    fi
    passed=$((passed + $(printf '%s\n' "$output" | grep -c '^ok')))
    failed=$((failed + $(printf '%s\n' "$output" | grep -c '^not ok')))
done
echo "unit: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
