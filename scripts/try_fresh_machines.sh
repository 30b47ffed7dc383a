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

# What does not train, and what does so most shortly
quick='tests/test_setup.py tests/test_compatibility.py tests/test_files.py
    tests/test_platforms.py tests/test_machine.py tests/test_expressions.py
    tests/networks tests/test_conformance.py tests/mxnet/test_vgg.py
    tests/mxnet/test_data.py'
for suite in bookworm trixie; do
    echo "An empty Debian $suite:"
    "$tool" "$suite" "make run && make test ARGS='$(echo $quick)' &&
        cd / && grep -q finished ~/project/runs/quick/run.json"
done
