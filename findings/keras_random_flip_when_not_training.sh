#!/bin/sh
# Keras 3.15.1: `RandomFlip`, and a model that begins with it, mirrors images
# when it is called without `training`; `Dropout` in the same place does
# nothing then. So `model(X)` differs from call to call, while
# `model.predict(X)` does not.
#
# Seen: of 32 calls some give 0, 1, 2 and some 2, 1, 0 of the row 0, 1, 2; with
# `Dropout(0.5)`, and with `training=False`, all give the row.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/env"
"$folder/env/bin/pip" install -q keras==3.15.1 jax==0.10.2 jaxlib==0.10.2
KERAS_BACKEND=jax "$folder/env/bin/python" - <<'END'
import keras
import numpy as np

X = np.arange(3, dtype='float32').reshape(1, 1, 3, 1)


def rows(layer, **options):
    model = keras.Sequential([layer])
    calls = (np.asarray(model(X, **options)).ravel() for _ in range(32))
    return sorted({tuple(row.tolist()) for row in calls})


flip = rows(keras.layers.RandomFlip('horizontal', seed=0))
told = rows(keras.layers.RandomFlip('horizontal', seed=0), training=False)
dropout = rows(keras.layers.Dropout(0.5, seed=0))
print('flip:', flip, 'flip, not training:', told, 'dropout:', dropout)
assert flip == [(0, 1, 2), (2, 1, 0)]
assert told == dropout == [(0, 1, 2)]
END
