#!/bin/sh
# JAX 0.10.2: its cache of compiled programs can be given a limit of size
# (`jax_compilation_cache_max_size`). It then needs `filelock`, which JAX does not
# require; without it the first program that is compiled raises an error, while
# without a limit the cache works. And in a folder that was used before there was a
# limit, whose files have no companions that tell when they were last read, no
# program is kept any more: each run compiles all of them again, with a warning.
#
# Seen: an error that names `filelock`; then, with it, programs that were compiled
# with a limit in a fresh folder are kept, and in the older folder none.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/env"
"$folder/env/bin/pip" install -q jax==0.10.2
cat >"$folder/compile.py" <<'END'
import os
import sys

import jax

folder, limit, number = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
jax.config.update('jax_compilation_cache_dir', folder)
jax.config.update('jax_compilation_cache_max_size', limit)
jax.config.update('jax_persistent_cache_min_compile_time_secs', 0)
jax.config.update('jax_persistent_cache_min_entry_size_bytes', -1)
jax.jit(lambda x: x * number + number)(1.0)
kept = [name for name in os.listdir(folder) if name.endswith('-cache')]
print(f'{len(kept)} kept')
END
compile() {
    "$folder/env/bin/python" "$folder/compile.py" "$@" 2>&1 | tail -n 1
}
old=$(compile "$folder/old" -1 2)
echo "no limit: $old"
missing=$(compile "$folder/new" 100000000 2)
echo "a limit: $missing"
"$folder/env/bin/pip" install -q filelock
new=$(compile "$folder/new" 100000000 2)
echo "a limit and filelock: $new"
more=$(compile "$folder/old" 100000000 3)
echo "the same in the older folder: $more"
[ "$old" != "0 kept" ] && [ "$new" != "0 kept" ] && [ "$more" = "$old" ]
echo "$missing" | grep -q filelock
