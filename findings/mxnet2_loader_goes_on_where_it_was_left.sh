#!/bin/sh
# MXNet 2.0.0b1: a `DataLoader` with workers has one iterator for all who ask.
# After a look at the first minibatch, `next(iter(loader))`, the next epoch
# lacks it; after a `break` it begins where the loop was left. Without workers,
# and in MXNet 1.9.1, each `iter` begins anew.
#
# Seen: of three minibatches, the epoch after the look has two, the one after
# that three.
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
from mxnet import np
from mxnet.gluon.data import ArrayDataset, DataLoader


def epochs(num_workers):
    data = ArrayDataset(np.arange(6))
    loader = DataLoader(data, batch_size=2, num_workers=num_workers)
    next(iter(loader))
    return [len(list(loader)) for _ in range(2)]


alone, with_worker = epochs(0), epochs(1)
print('without workers:', alone, 'with one:', with_worker)
assert alone == [3, 3] and with_worker == [2, 3]
END
