#!/bin/sh
# Pin in requirements/ what is installed: mxnet.txt for MXNet alone, which
# older Pythons have with the NumPy of d2l, all.txt for everything else.
#
# uv (`pip install uv`) finds versions that work together on every system and
# from the first release of each Python on. What is pinned stays where it can;
# `--upgrade` takes the newest of everything.
set -eu
unset CDPATH
cd "$(dirname "$0")/.."

# pin NAME PYTHON EXTRAS [OPTION]: write requirements/NAME.txt, with what is
# fixed from the standard input
pin() {
    name=$1 python=$2 extras=$3
    shift 3
    uv pip compile setup.py - --universal --python-version "$python" \
        --extra "mxnet-needs,test,book,notebook,lint$extras" \
        --quiet --no-header --no-annotate --no-emit-index-url \
        --no-emit-find-links --output-file "requirements/$name.txt" "$@"
    # Every line would say where `make` sets up: see pyproject.toml
    systems="sys_platform == 'darwin' or sys_platform == 'linux'"
    sed -E "s/ (;|and) \(?$systems\)?$//" "requirements/$name.txt" \
        >"requirements/$name.part"
    mv "requirements/$name.part" "requirements/$name.txt"
}

# The pins of d2l 1.0.3, where there are builds of them, and what fits them
pin mxnet 3.10 '' "$@" <<'END'
numpy==1.23.5; python_version < '3.12'
matplotlib==3.7.2; python_version < '3.12'
matplotlib-inline==0.1.6; python_version < '3.12'
pandas==2.0.3; python_version < '3.12'
requests==2.31.0; python_version < '3.12'
ipython<9; python_version < '3.12'
numpy==1.26.4; python_version == '3.12'
numpy==2.4.6; python_version >= '3.13'
END
# All four frameworks can do with this NumPy, and are tested with this PyTorch.
# TensorFlow has no release for Python 3.14
pin all 3.11 ,torch,jax "$@" <<'END'
numpy==2.4.6
torch==2.13.0
keras>=3.15
tensorflow==2.21.0; python_version < '3.14'
tensorflow-cpu==2.21.0; python_version < '3.14' and sys_platform == 'linux'
END
