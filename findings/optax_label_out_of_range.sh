#!/bin/sh
# Optax 0.2.8 (JAX 0.10.2): `softmax_cross_entropy_with_integer_labels` takes
# the label -1 for the last class, and gives NaN for the label that is one
# past the last; neither is refused.
#
# Seen with scores 0, 1, 2: loss 0.4076 for the labels 2 and -1, nan for 3.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/env"
"$folder/env/bin/pip" install -q optax==0.2.8 jax==0.10.2 jaxlib==0.10.2
"$folder/env/bin/python" - <<'END'
import math

import jax.numpy as jnp
import optax

scores = jnp.array([[0.0, 1.0, 2.0]] * 3)
loss = optax.softmax_cross_entropy_with_integer_labels
last, minus_one, past = loss(scores, jnp.array([2, -1, 3])).tolist()
print(last, minus_one, past)
assert minus_one == last and math.isnan(past)
END
