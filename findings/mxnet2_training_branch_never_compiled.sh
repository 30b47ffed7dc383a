#!/bin/sh
# MXNet 2.0.0b1: a block that is hybridized is traced with
# `autograd.is_training()` False, also under `autograd.record()`. What its
# `forward` does in training only, such as noise or dropout of a reader's own,
# is left out from then on, in silence.
#
# Seen: a block that multiplies by ten when it trains does so as it is, and not
# once it is hybridized.
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
from mxnet import autograd, np
from mxnet.gluon import nn


class TenTimes(nn.HybridBlock):
    def forward(self, X):
        return X * 10 if autograd.is_training() else X


def trained(block):
    with autograd.record():
        return float(block(np.ones(1)))


block = TenTimes()
block.initialize()
as_it_is = trained(block)
block.hybridize()
hybridized = trained(block)
print('as it is:', as_it_is, 'hybridized:', hybridized)
assert as_it_is == 10 and hybridized == 1
END
