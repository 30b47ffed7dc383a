#!/bin/sh
# MXNet 1.9.1: `nd.Cast` to bfloat16 cuts the lower bits off, `nd.amp_cast`
# rounds to the nearest number. So weights that are cast lose up to twice as
# much, always towards zero. (Either knows the name 'bfloat16' only once
# ml_dtypes has been imported.)
#
# Seen: 1.005 and 1.0077 become 1.0 by `Cast`, 1.0078125 by `amp_cast`; the
# numbers of bfloat16 beside them are 1.0 and 1.0078125.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==1.23.5 requests==2.31.0 \
    graphviz==0.8.4 ml_dtypes==0.3.2
"$folder/env/bin/pip" install -q --no-deps mxnet==1.9.1
# Its library asks for one that NumPy's wheel brings along
packages=$("$folder/env/bin/python" -c 'import numpy, os
print(os.path.dirname(os.path.dirname(numpy.__file__)))')
for library in "$packages"/numpy.libs/libquadmath*; do
    ln -s "$library" "$packages/mxnet/libquadmath.so.0"
done
"$folder/env/bin/python" - <<'END'
import ml_dtypes  # noqa: F401
from mxnet import nd

X = nd.array([1.003, 1.005, 1.0077])
cast = nd.Cast(X, dtype='bfloat16').astype('float32').asnumpy().tolist()
amp = nd.amp_cast(X, dtype='bfloat16').astype('float32').asnumpy().tolist()
print('Cast:', cast, 'amp_cast:', amp)
assert cast == [1, 1, 1]
assert amp == [1, 1.0078125, 1.0078125]
END
