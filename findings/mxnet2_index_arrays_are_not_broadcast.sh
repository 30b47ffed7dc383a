#!/bin/sh
# MXNet 2.0.0b1: two index arrays are not broadcast against each other, as
# NumPy and MXNet 1.9.1 do. The result has the shape of the first and, where as
# many numbers are in each, values from the wrong places, without a word.
#
# Seen: of 0 to 11 in 3 x 4, X[[[0], [2]], [[1, 3]]] is [[1], [11]], where NumPy
# has [[1, 3], [9, 11]]; with index arrays of one shape it is right.
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
import numpy
from mxnet import np

A = numpy.arange(12).reshape(3, 4)
i, j = numpy.array([[0], [2]]), numpy.array([[1, 3]])
X = np.array(A)


def taken(i, j):
    i, j = (np.array(index, dtype='int32') for index in (i, j))
    return X[i, j].asnumpy().astype(int).tolist()


print('NumPy:', A[i, j].tolist(), 'MXNet:', taken(i, j))
assert A[i, j].tolist() == [[1, 3], [9, 11]]
assert taken(i, j) == [[1], [11]]
assert taken(*numpy.broadcast_arrays(i, j)) == [[1, 3], [9, 11]]
END
