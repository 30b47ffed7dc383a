#!/bin/sh
# Keras 3.15.1: one initializer without a seed that several layers share draws
# the same weights for all of them. It draws its seed when it is made, not
# when it is called.
#
# Seen with the JAX backend (0.10.2): the kernels of two Dense layers that
# share `GlorotUniform()` are equal, those of two layers with the default
# initializer, named as a text, are not.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/env"
"$folder/env/bin/pip" install -q keras==3.15.1 jax==0.10.2 jaxlib==0.10.2
KERAS_BACKEND=jax "$folder/env/bin/python" - <<'END'
import keras
import numpy as np


def kernels(initializer):
    layers = [
        keras.layers.Dense(4, kernel_initializer=initializer) for _ in 'ab'
    ]
    for layer in layers:
        layer.build((None, 4))
    return [np.asarray(layer.kernel) for layer in layers]


shared = kernels(keras.initializers.GlorotUniform())
named = kernels('glorot_uniform')
print('shared:', np.array_equal(*shared), 'named:', np.array_equal(*named))
assert np.array_equal(*shared) and not np.array_equal(*named)
END
