#!/usr/bin/env bash
# Follow the README on an empty Debian 12 and 13, as a user without root.
#
# `$FRESH_ROOT SUITE COMMAND` has to make such a machine, put the last commit
# on it and run the command there; without it, nothing is tried.
set -eu
unset CDPATH
cd "$(dirname "$0")/.."

tool=${FRESH_ROOT:-../shared/tools/fresh-root}
if [ ! -x "$tool" ] || [ "$(id -u)" != 0 ]; then
    echo 'No empty machines are tried: that takes root, and $FRESH_ROOT'
    exit 0
fi

# The tests of what differs there: libraries, folders, what pip finds
quick='tests/test_compatibility.py tests/test_files.py tests/mxnet/test_vgg.py'
for suite in bookworm trixie; do
    echo "An empty Debian $suite:"
    # A run on the real images ends above 0.9
    "$tool" "$suite" "make run | tee out &&
        tail -n 1 out | grep '^Validation accuracy 0.9.* of Fashion-MNIST' &&
        make test ARGS='$quick'"
done
