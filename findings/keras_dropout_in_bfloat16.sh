#!/bin/sh
# Keras 3.15.1, TensorFlow 2.21.0: in mixed_bfloat16 `Dropout` draws its random
# numbers in bfloat16, as multiples of 1 / 128, and compares them with the
# rate. So another share is dropped than was asked for, while what is kept is
# divided by what should have been kept: outputs are too small in the mean.
#
# Seen: of a million ones, with rates of 0.3 and 0.001, float32 drops 0.300 and
# 0.001, mixed_bfloat16 0.304 and 0.008. A rate of 0.5 is right in both.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/env"
"$folder/env/bin/pip" install -q tensorflow-cpu==2.21.0 keras==3.15.1
TF_CPP_MIN_LOG_LEVEL=2 "$folder/env/bin/python" - <<'END'
import keras
import numpy as np

ones = np.ones((1000, 1000), 'float32')


def dropped(rate, policy):
    layer = keras.layers.Dropout(rate, seed=0, dtype=policy)
    kept = keras.ops.cast(layer(ones, training=True), 'float32')
    return float(np.mean(np.asarray(kept) == 0))


for rate in 0.5, 0.3, 0.001:
    shares = [dropped(rate, p) for p in ('float32', 'mixed_bfloat16')]
    print(rate, *(f'{share:.5f}' for share in shares))
    in_128ths = np.ceil(rate * 128) / 128
    for share, expected in zip(shares, (rate, in_128ths)):
        assert abs(share - expected) < 0.005
assert shares[1] > 7 * shares[0]
END
