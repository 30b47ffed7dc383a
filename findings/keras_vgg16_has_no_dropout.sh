#!/bin/sh
# Keras 3.15.1: `applications.VGG16`, and `VGG19`, have no dropout, where the
# paper and torchvision drop half of both fully connected layers. Their
# parameters count the same (138357544 at 224 pixels), so nothing shows it, and
# one who trains them trains another network than VGG.
#
# Seen: of 23 layers of `VGG16(weights=None)` none is a `Dropout`.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/env"
"$folder/env/bin/pip" install -q keras==3.15.1 jax==0.10.2 jaxlib==0.10.2
KERAS_BACKEND=jax "$folder/env/bin/python" - <<'END'
import keras

for make in keras.applications.VGG16, keras.applications.VGG19:
    net = make(weights=None, input_shape=(32, 32, 3), classes=10)
    kinds = [type(layer).__name__ for layer in net.layers]
    print(make.__name__, len(kinds), 'layers:', sorted(set(kinds)))
    assert 'Dropout' not in kinds and kinds.count('Dense') == 3
END
