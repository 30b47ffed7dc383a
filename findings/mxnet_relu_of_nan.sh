#!/bin/sh
# MXNet 1.9.1 (oneDNN 2.4.4, CPU): the layer `Activation('relu')` makes 0 of
# NaN, `npx.relu` keeps it. So a network whose convolutions are all NaN goes
# on with a finite loss.
#
# Seen with Python 3.11 and NumPy 1.23.5: [nan, -1, 2] becomes [0, 0, 2] and
# [nan, 0, 2].
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
from mxnet import np, npx
from mxnet.gluon import nn

npx.set_np()
X = np.array([[float('nan'), -1.0, 2.0]])
by_layer = nn.Activation('relu')(X).tolist()[0]
by_function = npx.relu(X).tolist()[0]
print('Activation:', by_layer, 'npx.relu:', by_function)
assert by_layer == [0.0, 0.0, 2.0]
assert by_function[0] != by_function[0] and by_function[1:] == [0.0, 2.0]
END
