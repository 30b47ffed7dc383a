#!/bin/sh
# MXNet 1.9.1 (oneDNN 2.4.4, CPU): the gradient of max pooling that was
# recorded with `train_mode=False`, as saliency maps are made, is wrong, and
# another one in each call. oneDNN keeps the places of the maxima in train mode
# only.
#
# Seen: the gradient's sum is 96, the number of windows, in train mode; in
# predict mode such as 88, 88, 83, 76 (MXNet 2.0.0b1 does the same).
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
import numpy
from mxnet import autograd, np, npx

npx.set_np()
X = np.array(numpy.random.RandomState(0).rand(2, 3, 8, 8), dtype='float32')
X.attach_grad()


def gradient(train_mode):
    with autograd.record(train_mode=train_mode):
        Y = npx.pooling(X, kernel=(2, 2), stride=(2, 2), pool_type='max')
    Y.backward()
    return float(X.grad.sum())


predicting = [gradient(train_mode=False) for _ in range(8)]
training = [gradient(train_mode=True) for _ in range(8)]
print('predict mode:', predicting, 'train mode:', training)
assert set(training) == {96} and set(predicting) != {96}
END
