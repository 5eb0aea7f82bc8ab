#!/usr/bin/env bash
# tap.sh: the TAP tests alone, for make tap: they start servers of their own, as an unprivileged user.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$here/test/suites.sh"
need_packages "${base_packages[@]}" libipc-run-perl
make_prefix
build_and_install
suite_tap | tee "$work/result"
grep -qE '^tap: [0-9]+ passed, 0 failed' "$work/result"
