#!/bin/sh
# Flax 0.12.8 (JAX 0.10.2): `serialization.from_bytes(target, bytes)` compares
# the names with those of `target`, not the shapes, nor the types. Parameters
# of another network with the same layers are taken.
#
# Seen: a kernel of 2 x 3 in float32 becomes one of 7 in float16, in silence; a
# missing name is refused.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/env"
"$folder/env/bin/pip" install -q flax==0.12.8 jax==0.10.2 jaxlib==0.10.2
"$folder/env/bin/python" - <<'END'
from flax import serialization
from jax import numpy as jnp

target = {'kernel': jnp.zeros((2, 3))}
other = serialization.to_bytes({'kernel': jnp.ones(7, 'float16')})
loaded = serialization.from_bytes(target, other)['kernel']
print(loaded.shape, loaded.dtype)
assert loaded.shape == (7,) and loaded.dtype == 'float16'
try:
    serialization.from_bytes(target, serialization.to_bytes({}))
except ValueError:
    pass
else:
    raise AssertionError('a missing name is taken')
END
