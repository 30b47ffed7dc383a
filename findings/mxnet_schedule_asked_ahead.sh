#!/bin/sh
# MXNet 1.9.1: `FactorScheduler` and `MultiFactorScheduler` change themselves
# when they are called. One that is asked for the rates to come, as for a plot,
# trains with the last of them from the first step on; `PolyScheduler` does not.
#
# Seen: the factor 0.5 each 10 steps, from 1, tells 1 at step 5; after it was
# asked for steps 5, 15 and 25 it tells 0.25 at step 5.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==1.23.5 requests==2.31.0 graphviz==0.8.4
"$folder/env/bin/pip" install -q --no-deps mxnet==1.9.1
# Its library asks for one that NumPy's wheel brings along
packages=$("$folder/env/bin/python" -c 'import numpy, os
print(os.path.dirname(os.path.dirname(numpy.__file__)))')
for library in "$packages"/numpy.libs/libquadmath*; do
    ln -s "$library" "$packages/mxnet/libquadmath.so.0"
done
"$folder/env/bin/python" - <<'END'
from mxnet import lr_scheduler

schedules = {
    'factor': lr_scheduler.FactorScheduler(10, 0.5, base_lr=1),
    'multi': lr_scheduler.MultiFactorScheduler([10, 20], 0.5, base_lr=1),
    'poly': lr_scheduler.PolyScheduler(30, base_lr=1),
}
seen = {}
for name, schedule in schedules.items():
    plotted = [schedule(step) for step in (5, 15, 25)]
    seen[name] = plotted[0], schedule(5)
print(seen)
assert seen['factor'] == seen['multi'] == (1, 0.25)
assert seen['poly'][0] == seen['poly'][1]
END
