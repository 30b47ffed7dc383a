#!/bin/sh
# MXNet 1.9.1: a `gluon.Trainer` sorts parameters by name, as texts, and saves
# its states by place. Names count all layers of the process: dense10 comes
# before dense9. So momenta that were saved by a network of dense0 and dense1
# go to each other's layers where nine layers were made before, in silence.
#
# Seen: the same step gives the same parameters without those layers, others
# with them.
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
cat >"$folder/step.py" <<'END'
import os
import sys

from mxnet import autograd, gluon, init, np, npx
from mxnet.gluon import nn

npx.set_np()
folder, start, others = sys.argv[1], sys.argv[2], int(sys.argv[3])
for _ in range(others):
    nn.Dense(1)
net = nn.Sequential()
net.add(nn.Dense(2, in_units=2), nn.Dense(2, in_units=2))
net.initialize(init.One())
options = {'learning_rate': 1, 'momentum': 0.5}
trainer = gluon.Trainer(net.collect_params(), 'sgd', options)


def step():
    with autograd.record():
        loss = (net(np.array([[1, 2]])) * np.array([1, 3])).sum()
    loss.backward()
    trainer.step(1)


if start == 'new':
    step()
    net.save_parameters(os.path.join(folder, 'net'))
    trainer.save_states(os.path.join(folder, 'states'))
else:
    net.load_parameters(os.path.join(folder, 'net'))
    trainer.load_states(os.path.join(folder, 'states'))
step()
print([layer.weight.data().tolist() for layer in net])
END
cd "$folder"
new=$(env/bin/python step.py "$folder" new 0)
alone=$(env/bin/python step.py "$folder" saved 0)
after_nine=$(env/bin/python step.py "$folder" saved 9)
printf 'new: %s\nalone: %s\nafter nine: %s\n' "$new" "$alone" "$after_nine"
[ "$alone" = "$new" ]
[ "$after_nine" != "$new" ]
