#!/bin/sh
# MXNet 1.9.1: `Xavier` takes the second axis of a weight for the input
# channels, whatever the layout. A convolution with `layout='NHWC'`, whose
# weight is (out, height, width, in), is drawn from a range that is too small.
#
# Seen with 64 channels in and out and a 3 x 3 kernel: numbers up to 0.0722 in
# NCHW, which is sqrt(6 / (576 + 576)), and up to 0.0216 in NHWC, with no word
# of it.
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
from mxnet import init, np, npx
from mxnet.gluon import nn

npx.set_np()


def largest(layout):
    npx.random.seed(0)
    layer = nn.Conv2D(64, 3, in_channels=64, layout=layout)
    layer.initialize(init.Xavier())
    return float(np.abs(layer.weight.data()).max())


right = (6 / (9 * 64 + 9 * 64)) ** 0.5
print('right:', right, 'NCHW:', largest('NCHW'), 'NHWC:', largest('NHWC'))
assert 0.99 * right < largest('NCHW') <= right
assert 0.29 * right < largest('NHWC') < 0.3 * right
END
