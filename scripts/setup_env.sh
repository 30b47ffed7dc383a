#!/bin/sh
# Make the environment that the other targets of the Makefile use.
#
#     setup_env.sh [test] [chapter] [notebook] [lint]
#
# `$VENV` (.venv) gets a framework and this package, with the versions of
# requirements/, and what the arguments need beyond that. What is there stays.
# `$FRAMEWORK` is mxnet (PyTorch where that has no build), torch, tensorflow,
# jax or all; `$VENV/frameworks` tells which. `$PYTHON` asks for one Python: a
# version (3.12), a command or a path; `$MXNET` for the wheel: cpu, or cu112 or
# cu117 on a machine with a GPU, 2 for MXNet 2, the path or the address of any
# other wheel, or system for the MXNet that the Python has.
set -eu
unset CDPATH
cd "$(dirname "$0")/.."
venv=${VENV:-.venv}
# What is set for other installations would put this one elsewhere
system_path=${PYTHONPATH:-}
unset PIP_TARGET PIP_PREFIX PIP_ROOT PYTHONHOME PYTHONPATH PYTHONSAFEPATH
export PIP_USER=0

fail() {
    echo "setup: $*" >&2
    exit 1
}

contains() {
    case " $1 " in *" $2 "*) ;; *) return 1 ;; esac
}

# What a whole installation has left: its fingerprint, MXNet's wheel, its parts
marker=$venv/d2l_vgg_is_set_up known='' installed='' recorded=''
[ ! -e "$marker" ] ||
    { read -r known; read -r installed; read -r recorded; } <"$marker" || :

mxnet=${MXNET:-${installed:-cpu}}
case $mxnet in
cpu | cu112 | cu117 | 2 | system | *.whl) ;;
*) fail "MXNET=$mxnet is no wheel of MXNet: choose cpu, cu112, cu117 or 2," \
    'the path of a wheel, or system for one that pip did not install.' ;;
esac
if [ -z "${FRAMEWORK:-}${MXNET:-}" ] && [ "$(uname -sm)" = 'Darwin arm64' ]; then
    echo 'setup: MXNet 1.9.1 has no build for Apple silicon, so PyTorch is used'
    FRAMEWORK=torch
fi
frameworks=${FRAMEWORK:-mxnet} versions='3.13 3.12 3.11'
case $frameworks in
mxnet) versions="$versions 3.10 3.14" ;;
torch | pytorch) frameworks=torch versions="$versions 3.14" ;;
jax) versions="$versions 3.14" ;;
tensorflow) ;;
all) frameworks='mxnet torch tensorflow jax' ;;
*) fail "FRAMEWORK=$FRAMEWORK is no framework: choose mxnet, torch," \
    'tensorflow, jax or all.' ;;
esac
for need in "$@"; do
    contains 'test chapter notebook lint' "$need" ||
        fail "$need is nothing to set up for: choose test, chapter," \
            'notebook or lint.'
done

# Print the version of the Python `$1`, if it runs (a shim of pyenv may not)
# and has the modules that the set-up and MXNet need
version_of() {
    "$1" -c 'import bz2, ctypes, ensurepip, ssl, sys, venv
print("%d.%d" % sys.version_info[:2])' 2>/dev/null </dev/null
}

# Print the Python that `$PYTHON` asks for, or the first one of `$versions`
# that is here
find_python() {
    case ${PYTHON:-} in
    '') ;;
    3.[0-9]* | python3.[0-9]*) versions=${PYTHON#python} ;;
    *) echo "$PYTHON" && return ;;
    esac
    for version in $versions; do
        for python in "python$version" "/usr/bin/python$version" \
            "${PYENV_ROOT:-${HOME:-}/.pyenv}/versions/$version".*/bin/python; do
            ! version_of "$python" >/dev/null || { echo "$python" && return; }
        done
    done
    return 1
}

have=$(version_of "$venv/bin/python") || known='' # Half-made, or broken
python=$venv/bin/python
[ -n "$known" ] && [ -z "${PYTHON:-}" ] || python=$(find_python) || python=
want=$have # Asked once, as it takes a tenth of a second
[ "$python" = "$venv/bin/python" ] || want=$(version_of "$python") || fail 'No Python was found' \
    "${PYTHON:+by PYTHON=$PYTHON }that has its modules venv and ensurepip:" \
    'install one (on Debian and Ubuntu, apt install python3-venv), or name' \
    'one (PYTHON=/path make test).'
contains "$versions" "$want" ||
    fail "Python $want ($python) does not go with $frameworks, but one of" \
        "$versions does: ask for one (PYTHON=3.13), and for a folder of its" \
        "own (VENV=.venv313) if $venv is to stay."

# Another Python, another wheel: all is to be installed again
if [ "$have" != "$want" ] || [ "${installed:-$mxnet}" != "$mxnet" ]; then
    known='' recorded='' installed=''
    # Not that of the environment, which is about to be emptied
    python=$("$python" -c 'import sys; print(sys._base_executable)')
fi
# What is here already has to go on working with what comes
parts=$recorded
for need in $frameworks "$@"; do
    contains "$parts" "$need" || parts="$parts${parts:+ }$need"
done
case $parts in
*torch* | *tensorflow* | *jax*) pins=requirements/all.txt ;;
*) pins=requirements/mxnet.txt ;;
esac
fingerprint=$({ pwd && echo "$want $mxnet" && cat "$pins" setup.py \
    scripts/setup_env.sh scripts/load_mxnet.py; } | cksum)
if [ "$fingerprint" = "$known" ] && [ "$parts" = "$recorded" ]; then
    echo "$frameworks" >"$venv/frameworks"
    exit 0
fi

# shellcheck disable=SC2086
"$python" -m d2l_vgg.platforms "$mxnet" "$pins" $frameworks || exit 1
extras=$(echo "$parts" | sed 's/mxnet/mxnet-needs/; s/chapter/book/
    s/notebook/book,notebook/; s/ /,/g')
wheel='' place=''
case "$parts $mxnet" in
*mxnet*.whl) wheel=$mxnet ;;
*mxnet*cpu) wheel=mxnet==1.9.1 ;;
*mxnet*cu*) wheel=mxnet-$mxnet==1.9.1 extras=$extras,cuda-11 ;;
*mxnet*2) wheel=mxnet==2.0.0b1 ;;
*mxnet*system)
    place=$(PYTHONPATH=$system_path "$python" -c 'import os
from importlib.util import find_spec
print(os.path.dirname(os.path.dirname(find_spec("mxnet").origin)))' \
        2>/dev/null) ||
        fail "MXNET=system asks for the MXNet of $python, which has none:" \
            'name a Python that has one (PYTHON=/path).' ;;
esac

if [ -z "$known" ]; then
    # The folder is emptied: be sure that it is one of ours, if only half made
    [ -z "$(ls -A "$venv" 2>/dev/null)" ] || [ -e "$marker" ] ||
        fail "$venv is no virtual environment of this project's: move it" \
            'away, or name another folder (VENV=folder make test).'
    echo "setup: making $venv with $python (Python $want)"
    "$python" -m venv --clear "$venv" ||
        fail "$python could not make an environment in $venv."
    : >"$marker"
fi
echo "setup: installing into $venv what is needed for $parts"
install() {
    "$venv/bin/python" -m pip --disable-pip-version-check install --quiet \
        --no-warn-conflicts --constraint "$pins" "$@" ||
        fail 'pip could not install what is needed (see above); it needs the' \
            'network once.'
}
install setuptools # It builds this package below
if contains "$parts" mxnet; then
    # Without their own lists of needs, which pin an older NumPy: those that
    # hold are in setup.py
    install --no-deps d2l==1.0.3 ${wheel:+"$wheel"}
    case $wheel in *.whl) # Those of CUDA 13 need libraries that pip has
        "$venv/bin/python" -m d2l_vgg.wheels |
            install --requirement /dev/stdin ;;
    esac
    installed=$mxnet
fi
# Of PyTorch, pip takes a build with gigabytes of CUDA on Linux. Its project's
# index has one without, where it can be reached
if contains "$parts" torch && [ "$(uname)" = Linux ] &&
    ! nvidia-smi -L >/dev/null 2>&1; then
    (install -qq --no-deps --timeout 10 --retries 0 --index-url \
        https://download.pytorch.org/whl/cpu torch) 2>/dev/null ||
        echo 'setup: the index of PyTorch for CPUs cannot be reached, so pip' \
            'chooses which build it takes'
fi
# Older versions of pip would build without a look at pyproject.toml
install --use-pep517 --no-build-isolation --editable ".[$extras]"
if contains "$parts" mxnet; then
    "$venv/bin/python" scripts/load_mxnet.py ${place:+"$place"} || exit 1
fi
printf '%s\n' "$fingerprint" "$installed" "$parts" >"$marker.part"
mv "$marker.part" "$marker"
echo "$frameworks" >"$venv/frameworks"
