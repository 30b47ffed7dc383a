#!/bin/sh
# Make the environment that the other targets of the Makefile use.
#
# Finds a Python from 3.8 to 3.12, makes a virtual environment with it in
# `$VENV` (.venv), installs this package there with the pinned versions of
# constraints/, and sees that MXNet's library loads. What is done is skipped.
# `$PYTHON` asks for one Python: a version (3.12), a command or a path;
# `$MXNET` for the wheel: cpu, or cu112 or cu117 on a machine with a GPU.
set -eu
cd "$(dirname "$0")/.."
venv=${VENV:-.venv}

fail() {
    echo "setup: $*" >&2
    exit 1
}

# Without `$MXNET` the wheel that is installed stays
mxnet=${MXNET:-$(cat "$venv/mxnet_wheel" 2>/dev/null || echo cpu)}
case $mxnet in
cpu | cu112 | cu117) ;;
*) fail "MXNET=$mxnet is no wheel of MXNet: choose cpu, cu112 or cu117" ;;
esac

# Print the version of the Python `$1`, if it runs (a shim of pyenv may not),
# is one of 3.8 to 3.12, and has the modules that the set-up and MXNet need
version_of() {
    version=$("$1" -c '
import bz2, ctypes, ensurepip, ssl, sys, venv
print("%d.%d" % sys.version_info[:2])' 2>/dev/null </dev/null) || return 1
    case $version in
    3.8 | 3.9 | 3.10 | 3.11 | 3.12) echo "$version" ;;
    *) return 1 ;;
    esac
}

# Print where Pythons of the versions given may be, best first
candidates() {
    for version in "$@"; do
        # Each folder of the path, since a shim may hide one that works
        (IFS=: && for folder in $PATH; do echo "$folder/python$version"; done)
    done
    for version in "$@"; do
        for folder in "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/*; do
            echo "$folder/bin/python$version"
        done
    done
}

# Print the first Python that fits one of the versions given
find_python() {
    python=$(candidates "$@" | while read -r python; do
        if version_of "$python" >/dev/null; then
            echo "$python"
            break
        fi
    done)
    if [ -z "$python" ] && command -v uv >/dev/null; then
        # One of its own, which it downloads: no other on this machine fits
        export UV_PYTHON_PREFERENCE=only-managed
        uv python install "$1" >&2 && python=$(uv python find "$1")
    fi
    echo "$python"
}

# Print the Python to use, which may not fit or not be there
choose_python() {
    case ${PYTHON:-} in
    '') find_python 3.11 3.12 3.10 3.9 3.8 ;;
    3.[0-9]*) find_python "$PYTHON" ;;
    python3.[0-9]*) find_python "${PYTHON#python}" ;;
    *) echo "$PYTHON" ;;
    esac
}

# Without `$PYTHON` an environment that exists is kept as it is
have=$(version_of "$venv/bin/python") || have=
if [ -n "$have" ] && [ -z "${PYTHON:-}" ]; then
    want=$have
else
    python=$(choose_python)
    want=$(version_of "$python") || fail "${PYTHON:+PYTHON=$PYTHON: }no" \
        'Python from 3.8 to 3.12 with the module ensurepip was found; install' \
        'one (Debian: apt install python3.11-venv; any system: uv, see' \
        'https://docs.astral.sh/uv) or name one (PYTHON=/path make test)'
fi
constraints=constraints/py$(echo "$want" | tr -d .).txt

# Whatever changes one of these brings the environment up to date: the place,
# the version, the needs, and how they are installed
fingerprint=$({ pwd && echo "$mxnet" &&
    cat "$constraints" setup.py scripts/setup_env.sh; } | cksum)
stamp=$venv/set_up_for
if [ "$have" = "$want" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$fingerprint" ]
then
    exit 0
fi

if [ "$have" != "$want" ]; then
    # The folder is emptied: be sure that it holds nothing else
    if [ -e "$venv" ] && [ ! -e "$venv/pyvenv.cfg" ]; then
        fail "$venv is no virtual environment; move it away or name another" \
            'folder (VENV=folder make test)'
    fi
    echo "setup: making $venv with $python (Python $want)"
    "$python" -m venv --clear "$venv" ||
        fail "$python could not make an environment in $venv"
fi
rm -f "$stamp"

echo "setup: installing into $venv (about 2 minutes and 1.5 GB)"
pip() {
    "$venv/bin/python" -m pip --disable-pip-version-check "$@" ||
        fail 'pip could not install what is needed (see above); it needs the' \
            'network once'
}
# An interrupted set-up may have left an environment without pip
"$venv/bin/python" -m ensurepip >/dev/null || fail "$venv has no pip"
# MXNet's wheels share one folder: what another one has left would break it
if [ "$(cat "$venv/mxnet_wheel" 2>/dev/null || echo cpu)" != "$mxnet" ]; then
    pip uninstall --yes -qq mxnet mxnet-cu112 mxnet-cu117
fi
echo "$mxnet" >"$venv/mxnet_wheel"
# Older versions of pip would build some packages with what lies around
pip install --use-pep517 --constraint "$constraints" \
    --editable ".[$mxnet,book,dev]"
if [ "$want" = 3.12 ]; then
    # d2l's own pins have no wheels for Python 3.12, and it does not need them
    pip install --no-deps d2l==1.0.3
fi
"$venv/bin/python" scripts/load_mxnet.py || exit 1
echo "$fingerprint" >"$stamp"
