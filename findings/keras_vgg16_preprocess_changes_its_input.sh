#!/bin/sh
# Keras 3.15.1: `applications.vgg16.preprocess_input` computes in the float32
# array that it is given. The caller's images have changed then, and their
# channels stay in the old order: what is drawn of them is wrong, and a second
# call gives other numbers. Images of uint8 are left alone.
#
# Seen with a pixel of 200, 200, 200: returned 96.061, 83.221, 76.32; the
# array holds 76.32, 83.221, 96.061, and a second call returns -7.878, -33.558,
# -47.36.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/env"
"$folder/env/bin/pip" install -q keras==3.15.1 jax==0.10.2 jaxlib==0.10.2
KERAS_BACKEND=jax "$folder/env/bin/python" - <<'END'
import numpy as np
from keras.applications.vgg16 import preprocess_input

X = np.full((1, 1, 1, 3), 200, 'float32')
first = preprocess_input(X).ravel().tolist()
changed = X.ravel().tolist()
second = preprocess_input(X).ravel().tolist()
print('returned', first, 'array', changed, 'second call', second)
assert changed == first[::-1] != [200] * 3
assert second != first
pixels = np.full((1, 1, 1, 3), 200, 'uint8')
assert preprocess_input(pixels).ravel().tolist() == first
assert pixels.ravel().tolist() == [200] * 3
END
