#!/bin/sh
# TensorFlow 2.21.0: where JAX is installed, too, `import tensorflow` imports the
# whole of it, for `tensorflow.lite`, which wants `jit` for its converter. Nobody
# who only writes TensorFlow would look for it there, and it takes about half a
# second of the import.
#
# Seen: `jax` in `sys.modules` and more than 200 modules of it, first asked for by
# a module of `tensorflow.lite`.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/env"
"$folder/env/bin/pip" install -q tensorflow==2.21.0 jax==0.10.2
TF_CPP_MIN_LOG_LEVEL=3 "$folder/env/bin/python" - <<'END'
import builtins
import sys

original, first = builtins.__import__, []


def watched(name, globals=None, *rest, **more):
    if name.split('.')[0] == 'jax' and not first:
        first.append((globals or {}).get('__name__'))
    return original(name, globals, *rest, **more)


builtins.__import__ = watched
import tensorflow

found = [name for name in sys.modules if name.split('.')[0] == 'jax']
print(f'{len(found)} modules of jax, first asked for by {first}')
assert len(found) > 200
assert first[0].startswith('tensorflow.lite')
END
