#!/bin/sh
# MXNet 1.9.1 on a processor: batch normalization in training seems to add all
# numbers of a channel in float32, one after the other, and a sum past 2^24 has
# no fractions any more. 128 images of 224 x 224 are 6.4 million: of numbers
# around 10 the mean is wrong by more than half of their deviation, and what
# comes out is not normalized.
#
# Seen (oneDNN 2.4.4, plain layout): of numbers drawn between 10 and 11, the
# output has the mean 0.80 and the deviation 0.60 instead of 0 and 1; between 0
# and 1 the deviation is 1.002. NumPy, which adds in pairs, has 0 and 1 in
# float32, too, and so has MXNet 2.0.0b1.
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
OMP_NUM_THREADS=1 "$folder/env/bin/python" - <<'END'
import mxnet as mx
import numpy as np
from mxnet import autograd
from mxnet.gluon import nn

mx.npx.set_np()
rng = np.random.RandomState(0)
for size, low in (28, 0), (224, 0), (224, 10):
    X = rng.rand(128, 4, size, size).astype('float32') + np.float32(low)
    layer = nn.BatchNorm()
    layer.initialize()
    with autograd.record():
        Y = layer(mx.np.array(X)).asnumpy()
    axes = 0, 2, 3
    mean = float(abs(Y.mean(axes, dtype='float64')).max())
    deviation = Y.std(axes, dtype='float64')
    print(size, low, f'mean {mean:.6f}, deviation {deviation.round(4)}')
    if (size, low) == (28, 0):
        assert mean < 1e-4 and abs(deviation - 1).max() < 1e-3
    right = (X - X.mean(axes, keepdims=True)) / X.std(axes, keepdims=True)
    assert abs(right.mean(axes, dtype='float64')).max() < 1e-3
assert mean > 0.1 and abs(deviation - 1).max() > 0.1
END
