#!/bin/sh
# MXNet 1.9.1: the gradient of `np.max` is 1 for each number that is as large
# as the maximum, so that they add up to as many as there are. Of numbers that
# were rounded, or cut off by ReLU, many are equal. Max pooling gives it to one
# of them only.
#
# Seen: 0, 1, 1, 1 for the maximum of 1, 3, 3, 3 (JAX and PyTorch tell a third
# each); 0, 1, 0, 0 for the same numbers in a window of `npx.pooling`.
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
from mxnet import autograd, np, npx

npx.set_np()


def gradient(function):
    X = np.array([[[[1.0, 3.0], [3.0, 3.0]]]])
    X.attach_grad()
    with autograd.record():
        y = function(X)
    y.backward()
    return X.grad.asnumpy().ravel().tolist()


maximum = gradient(np.max)
pooling = gradient(lambda X: npx.pooling(X, kernel=(2, 2), pool_type='max'))
print('max:', maximum, 'pooling:', pooling)
assert maximum == [0, 1, 1, 1] and sum(pooling) == 1
END
