#!/bin/sh
# MXNet 2.0.0b1: `copy.deepcopy` of a block whose layers are attributes makes
# one that computes with parameters of its own, but `collect_params` of it, and
# so `save_parameters` and a trainer, have those of the original.
#
# Seen: after the original's weight was set to 5, the copy of a weight of 1
# still multiplies by 1, and says that its weight is 5.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==1.23.5 requests==2.31.0 graphviz==0.8.4
"$folder/env/bin/pip" install -q --no-deps mxnet==2.0.0b1
# Its library asks for one that NumPy's wheel brings along
packages=$("$folder/env/bin/python" -c 'import numpy, os
print(os.path.dirname(os.path.dirname(numpy.__file__)))')
for library in "$packages"/numpy.libs/libquadmath*; do
    ln -s "$library" "$packages/mxnet/libquadmath.so.0"
done
"$folder/env/bin/python" - <<'END'
import copy

from mxnet import init, np
from mxnet.gluon import nn


class Net(nn.HybridBlock):
    def __init__(self):
        super().__init__()
        self.layer = nn.Dense(1, in_units=1, use_bias=False)

    def forward(self, X):
        return self.layer(X)


net = Net()
net.initialize(init.One())
other = copy.deepcopy(net)
net.layer.weight.set_data(np.array([[5]]))
computed = float(other(np.ones((1, 1))))
told = float(other.collect_params()['layer.weight'].data())
print('the copy multiplies by', computed, 'and tells', told)
assert computed == 1 and told == 5
END
