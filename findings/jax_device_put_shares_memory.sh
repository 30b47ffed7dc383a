#!/bin/sh
# JAX 0.10.2 (CPU): `jax.device_put(X, may_alias=False)` still shares the memory
# of a NumPy array that is aligned to 64 bytes, so the array, which JAX takes to
# be constant, changes with NumPy's. Whether an array is so aligned is chance.
#
# Seen: after X[0] = 5 the array of JAX holds 5 at place 0 where X was aligned,
# and still 0 where it was not; `jnp.array(X)` copies both.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/env"
"$folder/env/bin/pip" install -q jax==0.10.2 jaxlib==0.10.2
"$folder/env/bin/python" - <<'END'
import jax
import numpy as np
from jax import numpy as jnp

memory = np.zeros(2048, 'float32')
start = -memory.ctypes.data % 64 // 4  # The first place that is aligned
seen = {}
for name, place in ('aligned', start), ('not aligned', start + 1):
    X = memory[place : place + 1024]
    X[0] = 0
    put = jax.device_put(X, may_alias=False).block_until_ready()
    copied = jnp.array(X).block_until_ready()
    X[0] = 5
    seen[name] = float(put[0]), float(copied[0])
print(seen)
assert seen == {'aligned': (5, 0), 'not aligned': (0, 0)}
END
