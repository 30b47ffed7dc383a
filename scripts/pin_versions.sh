#!/bin/sh
# Pin in constraints/ what is installed with each Python.
#
# uv (`pip install uv`) finds versions that work together and with each Python
# from its first release on: 3.11.0, not only the latest 3.11. What is pinned
# stays where it can; `--upgrade` takes the newest of everything.
set -eu
unset CDPATH
cd "$(dirname "$0")/.."

# pin MINOR FILE EXTRAS FIXED: write the versions for Python 3.MINOR
pin() {
    minor=$1 file=constraints/$2py3$1.txt extras=$3 fixed=$4
    shift 4
    echo "$fixed" | tr -s ' ' '\n' |
        uv pip compile setup.py --constraint - --python-version "3.$minor.0" \
            --extra "mxnet-needs,test,book,notebook,lint$extras" \
            --quiet --no-header --no-annotate --output-file "$file" "$@"
    { echo "# Exact versions for Python 3.$minor, by scripts/pin_versions.sh"
        # The same release for machines that have no wheel for CPUs only
        sed 's/^tensorflow-cpu==\(.*\)/tensorflow==\1\
&/' "$file"
    } >"$file.part"
    mv "$file.part" "$file"
}

# The pins of d2l 1.0.3, where there are builds of them, and what fits them
d2l='numpy==1.23.5 matplotlib==3.7.2 matplotlib-inline==0.1.6 pandas==2.0.3
    requests==2.31.0 ipython<9'
for minor in 10 11; do
    pin $minor '' '' "$d2l" "$@"
done
pin 12 '' '' 'numpy==1.26.4' "$@"

# All four frameworks can do with this NumPy, and are tested with this PyTorch.
# TensorFlow has no release for Python 3.14
all='numpy==2.4.6 torch==2.13.0'
pin 13 '' ,torch,tensorflow,jax "$all" "$@"
pin 14 '' ,torch,jax "$all" "$@"
# With older Pythons, MXNet alone has an older NumPy
pin 11 frameworks- ,torch,tensorflow,jax "$all" "$@"
pin 12 frameworks- ,torch,tensorflow,jax "$all" "$@"
