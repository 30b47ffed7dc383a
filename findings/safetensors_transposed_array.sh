#!/bin/sh
# safetensors 0.8.0: `safetensors.numpy.save_file` writes an array that is not
# contiguous in the order of its memory, under its shape, without a word.
#
# A transposed array of 2 x 3 comes back with the numbers of the original in
# the wrong places: saved [[0, 1, 2], [3, 4, 5]].T, loaded
# [[0, 1], [2, 3], [4, 5]] instead of [[0, 3], [1, 4], [2, 5]].
# `numpy.ascontiguousarray` before saving helps. Seen with NumPy 2.4.6.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/env"
"$folder/env/bin/pip" install -q safetensors==0.8.0 numpy==2.4.6
"$folder/env/bin/python" - "$folder/a.safetensors" <<'END'
import sys

import numpy as np
from safetensors.numpy import load_file, save_file

array = np.arange(6).reshape(2, 3).T
save_file({'a': array}, sys.argv[1])
loaded = load_file(sys.argv[1])['a']
print('saved', array.tolist(), 'loaded', loaded.tolist())
assert loaded.shape == array.shape
assert loaded.tolist() == [[0, 1], [2, 3], [4, 5]]
END
