#!/bin/sh
# Flax 0.12.8 (JAX 0.10.2): `BatchNorm` computes the variance as the mean of
# the squares less the square of the mean, in float32. Of numbers that are
# large beside their differences nothing is left.
#
# Seen: 10000 and 10001 have the variance 0.25; the layer keeps 0 of it, and
# normalizes to -158.1 and 158.1 instead of -1 and 1 (the default epsilon is
# 1e-5). `use_fast_variance=False` gives the right numbers.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/env"
"$folder/env/bin/pip" install -q flax==0.12.8 jax==0.10.2 jaxlib==0.10.2
"$folder/env/bin/python" - <<'END'
import jax
from flax import linen as nn
from jax import numpy as jnp

X = jnp.array([[10000.0], [10001.0]])
for fast in True, False:
    layer = nn.BatchNorm(use_running_average=False, use_fast_variance=fast)
    variables = layer.init(jax.random.key(0), X)
    Y, _ = layer.apply(variables, X, mutable=['batch_stats'])
    print('fast' if fast else 'exact', Y.ravel().tolist())
    assert (abs(float(Y[1, 0]) - 1) < 1e-3) == (not fast)
END
