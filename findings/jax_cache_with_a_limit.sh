#!/bin/sh
# JAX 0.10.2: its cache of compiled programs can be given a limit of size
# (`jax_compilation_cache_max_size`). Then it needs `filelock`, which JAX does not
# require; without it nothing is kept, and a warning says so at each program. And in
# a folder that was used before there was a limit, where no file tells when a
# program was last read, nothing more is ever kept: each run compiles again.
#
# Seen: 1 program kept without a limit, 0 with one and a warning that names
# `filelock`, 1 with `filelock` in a fresh folder, and in the older folder still
# the 1 of before after another program, with a warning of a missing file `-atime`.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/env"
"$folder/env/bin/pip" install -q jax==0.10.2
cat >"$folder/compile.py" <<'END'
import sys
import warnings
from pathlib import Path

import jax

folder, limit, number, seen, words = sys.argv[1:]
jax.config.update('jax_compilation_cache_dir', folder)
jax.config.update('jax_compilation_cache_max_size', int(limit))
jax.config.update('jax_persistent_cache_min_compile_time_secs', 0)
jax.config.update('jax_persistent_cache_min_entry_size_bytes', -1)
with warnings.catch_warnings(record=True) as found:
    jax.jit(lambda x: x * float(number) + 1)(1.0)
kept = len(list(Path(folder).glob('*-cache')))
told = ' '.join(str(warning.message) for warning in found)
print(f'limit {limit}: {kept} kept. {told}')
assert kept == int(seen) and bool(told) == bool(words) and words in told
END
compile() { "$folder/env/bin/python" "$folder/compile.py" "$@"; }
compile "$folder/old" -1 2 1 ''
compile "$folder/new" 100000000 2 0 filelock
"$folder/env/bin/pip" install -q filelock
compile "$folder/new" 100000000 2 1 ''
compile "$folder/old" 100000000 3 1 -atime
