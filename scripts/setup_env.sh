#!/bin/sh
# Make the environment that the other targets of the Makefile use.
#
#     setup_env.sh [test] [chapter] [notebook] [lint]
#
# Finds a Python, makes a virtual environment with it in `$VENV` (.venv),
# installs a framework and this package there, with the versions of
# constraints/, and what the arguments need beyond that, and sees that MXNet's
# library loads. What is done is skipped; what is there already stays.
# `$FRAMEWORK` is mxnet, torch, tensorflow, jax or all; without it, it is
# MXNet, or PyTorch where MXNet has no build. `$venv/frameworks` tells which.
# `$PYTHON` asks for one Python: a version (3.12), a command or a path;
# `$MXNET` for the wheel: cpu, or cu112 or cu117 on a machine with a GPU, or
# system for no wheel but the MXNet that the Python has without pip;
# `$TORCH_INDEX` for where PyTorch comes from, an empty one for pip's default.
set -eu
unset CDPATH
cd "$(dirname "$0")/.."
venv=${VENV:-.venv}
# What is set for other installations would put this one elsewhere, or keep
# the environment's Python from what is its own
system_path=${PYTHONPATH:-}
unset PIP_TARGET PIP_PREFIX PIP_ROOT PYTHONHOME PYTHONPATH PYTHONSAFEPATH
export PIP_USER=0

fail() {
    echo "setup: $*" >&2
    exit 1
}

# Without `$MXNET` the wheel that is installed stays
installed=$(grep . "$venv/mxnet_wheel" 2>/dev/null || echo cpu)
mxnet=${MXNET:-$installed}
case $mxnet in
cpu) wheel=mxnet mxnet_needs=mxnet-needs ;;
cu112 | cu117) wheel=mxnet-$mxnet mxnet_needs=mxnet-needs,cuda-11 ;;
system) wheel='' mxnet_needs=mxnet-needs ;;
*) fail "MXNET=$mxnet is no wheel of MXNet: choose cpu, cu112 or cu117, or" \
    'system for one that pip did not install' ;;
esac
case ${FRAMEWORK:=} in
'') frameworks=mxnet ;;
pytorch) frameworks=torch ;; # The name of its tab in the book
mxnet | torch | tensorflow | jax) frameworks=$FRAMEWORK ;;
all) frameworks='mxnet torch tensorflow jax' ;;
*) fail "FRAMEWORK=$FRAMEWORK is no framework: choose mxnet, torch," \
    'tensorflow, jax or all' ;;
esac
for need in "$@"; do
    case $need in
    test | chapter | notebook | lint) ;;
    *) fail "$need is nothing to set up for: test, chapter, notebook, lint" ;;
    esac
done

# Print the version of the Python `$1`, if it runs (a shim of pyenv may not),
# is 3.10 or newer, and has the modules that the set-up and MXNet need
version_of() {
    "$1" -c '
import bz2, ctypes, ensurepip, ssl, sys, venv
print("%d.%d" % sys.version_info[:2])
sys.exit(sys.version_info < (3, 10))' 2>/dev/null </dev/null
}

# Whatever was installed, one a line: its name, its Python, its fingerprint.
# That an environment is this project's is told by this file, even if empty
stamp=$venv/set_up_for
have=$(version_of "$venv/bin/python") || have=
recorded=$(awk -v have="$have" '$2 == have {printf " %s", $1}' "$stamp" \
    2>/dev/null) || recorded=
is_recorded() {
    case "$recorded " in *" $1 "*) ;; *) return 1 ;; esac
}

# Print the pins for the Python `$1`: those of MXNet alone, unless another
# framework is here or asked for, which d2l's NumPy would be too old for
pins_for() {
    pins=py$(echo "$1" | tr -d .).txt
    for need in $frameworks $recorded; do
        case $need in
        torch | tensorflow | jax)
            [ ! -e "constraints/frameworks-$pins" ] ||
                pins=frameworks-$pins
            break ;;
        esac
    done
    echo "constraints/$pins"
}

# Print a framework that is asked for and that the pins for the Python `$1`
# lack, since it has no release for it
lacking_for() {
    pins=$(pins_for "$1")
    [ -e "$pins" ] || return 0
    for framework in $frameworks; do
        [ "$framework" = mxnet ] || grep -q "^$framework==" "$pins" ||
            echo "$framework"
    done
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

# Print the first Python that fits one of the versions given, and for which,
# unless `$PYTHON` asks for it, there is what is to be installed
find_python() {
    python=$(candidates "$@" | while read -r python; do
        version=$(version_of "$python") || continue
        if [ -n "${PYTHON:-}" ] || [ -z "$(lacking_for "$version")" ]; then
            echo "$python"
            break
        fi
    done)
    if [ -z "$python" ] && command -v uv >/dev/null; then
        # One of its own, which it downloads: no other on this machine fits
        export UV_PYTHON_PREFERENCE=only-managed
        uv python install "$1" >&2 || fail "uv could not download Python" \
            "$1 (see above): it needs the network once, or install a Python" \
            'by other means'
        python=$(uv python find "$1")
    fi
    echo "$python"
}

# Print the Python to use, which may not fit or not be there: the newest that
# is fully tested, then the others, then those that may come ('3' is any)
choose_python() {
    case ${PYTHON:-} in
    '') find_python 3.13 3.12 3.11 3.10 3.14 3.15 3.16 3 ;;
    3 | 3.[0-9]*) find_python "$PYTHON" ;;
    python3 | python3.[0-9]*) find_python "${PYTHON#python}" ;;
    *) echo "$PYTHON" ;;
    esac
}

# Print what to do where no Python fits, in the words of this system
how_to_get_python() {
    lacks=
    for module in ensurepip venv ssl bz2 ctypes; do
        if ! "${python:-python3}" -c "import $module" 2>/dev/null &&
            "${python:-python3}" -c 'import os' 2>/dev/null; then
            lacks="${python:-python3} lacks the module $module; "
            break
        fi
    done
    case " $(. /etc/os-release 2>/dev/null && echo "$ID ${ID_LIKE:-}") " in
    *' debian '*) echo "${lacks}install one (apt install python3-venv)" ;;
    *' fedora '*) echo "${lacks}install one (dnf install python3)" ;;
    *' suse '*) echo "${lacks}install one (zypper install python3)" ;;
    *' arch '*) echo "${lacks}install one (pacman -S python)" ;;
    *) echo "${lacks}install one from https://www.python.org" ;;
    esac
}

# Set `$python` and `$want`, its version. Without `$PYTHON` an environment
# that exists is kept as it is
take_python() {
    if [ -n "$have" ] && [ -z "${PYTHON:-}" ]; then
        python=$venv/bin/python want=$have
        return
    fi
    python=$(choose_python) || exit 1
    oldest=3.10
    [ "$frameworks" = mxnet ] || oldest=3.11
    want=$(version_of "$python") || fail "${PYTHON:+PYTHON=$PYTHON: }no" \
        "${PYTHON:+such }Python $oldest or newer was found that can do it:" \
        "$(how_to_get_python)," \
        'or uv (https://docs.astral.sh/uv), which brings one, or name one' \
        '(PYTHON=/path make test)'
}
take_python
[ "$have" = "$want" ] || recorded= # Made anew, it will hold nothing

if [ -z "$FRAMEWORK" ] && ! is_recorded mxnet; then
    status=0
    "$python" -m d2l_vgg.platforms || status=$?
    case $status in
    0) ;;
    3) frameworks=torch && take_python ;;
    *) exit 1 ;;
    esac
fi
lacking=$(lacking_for "$want")
# shellcheck disable=SC2086
[ -z "$lacking" ] || fail "for Python $want there is no" $lacking "that this" \
    "project has tried: ask for another (PYTHON=3.13), and for a folder of its" \
    "own (VENV=.venv313) if $venv is to stay"
constraints=$(pins_for "$want")

# Whatever changes one of these brings the environment up to date: the place,
# the version, the needs, and how they are installed
fingerprint=$({ pwd && echo "$mxnet" &&
    cat "$constraints" setup.py scripts/setup_env.sh scripts/load_mxnet.py \
        2>/dev/null || :; } | cksum)
known=$stamp
[ "$have" = "$want" ] || known=/dev/null
needs="$frameworks $*" missing='' new=''
for need in $needs; do
    grep -qx "$need $want $fingerprint" "$known" 2>/dev/null ||
        missing="$missing $need"
    is_recorded "$need" || new=yes
done
if [ -z "$missing" ]; then
    echo "$frameworks" >"$venv/frameworks"
    exit 0
fi
needed() {
    case " $needs " in *" $1 "*) ;; *) return 1 ;; esac
}
# What is here already has to go on working with what comes
for need in $recorded; do
    needed "$need" || grep -qx "$need $want $fingerprint" "$known" ||
        needs="$needs $need" missing="$missing $need"
done
extras=
for need in $needs; do
    case $need in
    mxnet) extra=$mxnet_needs ;;
    chapter) extra=book ;;
    notebook) extra=book,notebook ;;
    *) extra=$need ;;
    esac
    extras=$extras${extras:+,}$extra
done
if [ -n "$FRAMEWORK" ]; then
    for framework in $frameworks; do
        is_recorded "$framework" ||
            "$python" -m d2l_vgg.platforms "$framework" || exit 1
    done
fi

# Where the Python has an MXNet that pip did not install
place=
if needed mxnet && [ -z "$wheel" ]; then
    place=$(PYTHONPATH=$system_path "$python" -c 'import os
from importlib.util import find_spec
spec = find_spec("mxnet")
print(os.path.dirname(os.path.dirname(spec.origin)) if spec else "")')
    [ -n "$place" ] || fail "MXNET=system asks for the MXNet of $python, which" \
        'has none: name a Python that has one (PYTHON=/path), or install a' \
        'wheel (MXNET=cpu)'
fi

if [ "$have" != "$want" ]; then
    # The folder is emptied: be sure that it is one of ours, if only half made
    if [ -n "$(ls -A "$venv" 2>/dev/null)" ] &&
        [ ! -e "$stamp" ] &&
        { [ "$venv" != .venv ] || [ ! -e "$venv/pyvenv.cfg" ]; }; then
        fail "$venv is no virtual environment of this project's; move it" \
            'away or name another folder (VENV=folder make test)'
    fi
    echo "setup: making $venv with $python (Python $want)"
    "$python" -m venv --clear "$venv" ||
        fail "$python could not make an environment in $venv"
    : >"$stamp"
fi
echo "$frameworks" >"$venv/frameworks"

if [ -e "$constraints" ]; then
    pinned="--constraint $constraints"
else
    echo "setup: Python $want has not been tried with this package (3.10 to" \
        '3.14 have); it gets the newest version of everything'
    pinned=
fi
echo "setup: installing into $venv what is needed for$missing"
pip() {
    "$venv/bin/python" -m pip --disable-pip-version-check "$@" || {
        if [ -z "$new" ]; then
            echo 'setup: what is installed could not be brought up to date' \
                '(see above); going on with it as it is' >&2
            exit 0
        fi
        fail 'pip could not install what is needed (see above); it needs the' \
            'network once'
    }
}
# An interrupted set-up may have left an environment without pip
"$venv/bin/python" -m ensurepip >/dev/null || fail "$venv has no pip"
# MXNet's wheels share one folder: what another one has left would break it
if needed mxnet && [ "$installed" != "$mxnet" ]; then
    new=yes
    # Not before the other is here
    [ -z "$wheel" ] ||
        pip download --quiet --no-deps --dest "$venv/wheels" "$wheel==1.9.1"
    : >"$stamp"
    pip uninstall --yes -qq mxnet mxnet-cu112 mxnet-cu117
    [ -z "$wheel" ] ||
        pip install --quiet --no-deps --no-index --find-links "$venv/wheels" \
            "$wheel==1.9.1"
    rm -rf "$venv/wheels"
fi
# What this package is built with comes first, so that nothing is fetched anew
# to bring it up to date
# shellcheck disable=SC2086
pip install --quiet $pinned setuptools
if needed mxnet; then
    echo "$mxnet" >"$venv/mxnet_wheel"
    # The two that pin a NumPy of their own come without their lists of
    # needs: those that hold are in setup.py
    pip install --quiet --no-deps ${wheel:+"$wheel==1.9.1"} d2l==1.0.3
fi

# Succeed if the address `$1` answers at once, on a Linux without a GPU
is_of_use() {
    ! nvidia-smi -L >/dev/null 2>&1 && "$venv/bin/python" -c '
import os, sys, threading, urllib.request
end = threading.Timer(4, os._exit, [1]) # A name may be looked up for longer
end.daemon = True
end.start()
sys.exit(sys.platform != "linux" or not urllib.request.urlopen(sys.argv[1]))
' "$1" >/dev/null 2>&1
}

# Of PyTorch, pip takes a build with gigabytes of CUDA on Linux. The index of
# its project for CPUs, https://pytorch.org/get-started, has one without;
# where it does not answer, pip goes its own way
install_torch() {
    index=https://download.pytorch.org/whl/cpu
    if [ -n "${TORCH_INDEX:-}" ]; then
        # shellcheck disable=SC2086
        pip install --quiet --no-deps $pinned --index-url "$TORCH_INDEX" torch
    elif [ -z "${TORCH_INDEX+set}" ] && is_of_use $index/torch/; then
        # shellcheck disable=SC2086
        "$venv/bin/python" -m pip --disable-pip-version-check install \
            -qqq --no-deps $pinned --index-url $index torch || :
    fi
}

if needed torch; then
    install_torch
fi
# Older versions of pip would build without a look at pyproject.toml
# shellcheck disable=SC2086
pip install --quiet --no-warn-conflicts $pinned --use-pep517 \
    --no-build-isolation --editable ".[$extras]"
if needed mxnet; then
    "$venv/bin/python" scripts/load_mxnet.py ${place:+"$place"} || exit 1
fi
for need in $missing; do
    { grep -v "^$need " "$stamp" 2>/dev/null || :
        echo "$need $want $fingerprint"; } >"$stamp.part"
    mv "$stamp.part" "$stamp"
done
