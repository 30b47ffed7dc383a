#!/bin/sh
# Keras 3.15.1: a `Sequential` that was built while its layers computed in
# bfloat16 goes on with rounding its input when the dtype policies of itself
# and of all its layers are set to float32: its hidden `InputLayer` keeps the
# type. `pop` and `add` of all layers, without `rebuild`, let it be built again.
#
# Seen with TensorFlow 2.21.0: 1 / 3 goes in, and float32(1 / 3), as a new
# model gives, comes out only of the model that was built again; before, it is
# the 0.33398438 of bfloat16.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/env"
"$folder/env/bin/pip" install -q tensorflow-cpu==2.21.0 keras==3.15.1
TF_CPP_MIN_LOG_LEVEL=2 "$folder/env/bin/python" - <<'END'
import keras
import numpy as np

third = np.full((1, 1), 1 / 3, 'float32')
net = keras.Sequential([keras.layers.ReLU(dtype='mixed_bfloat16')])
net.dtype_policy = 'mixed_bfloat16'
net.build((None, 1))
for layer in [net, *net.layers]:
    layer.dtype_policy = 'float32'
kept = float(net(third)[0, 0])
(relu,) = net.layers
net.pop(rebuild=False)
net.pop(rebuild=False)  # The input layer, which `layers` does not tell
net.add(relu, rebuild=False)
again = float(net(third)[0, 0])
print('after the policies:', kept, 'built again:', again)
assert kept == 0.333984375
assert again == float(np.float32(1 / 3))
END
