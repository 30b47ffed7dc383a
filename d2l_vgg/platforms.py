"""Where MXNet and the other frameworks can be had, and what to do else.

`python -m d2l_vgg.platforms MXNET PINS FRAMEWORK...` tells it in one line
before anything is installed; nothing but Python is needed for that.
"""

import glob
import os
import platform
import re
import shlex
import sys

from d2l_vgg import cuda, wheels

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

LINUX, ARM = ('Linux', 'x86_64'), ('Linux', 'aarch64')
OTHER_BUILDS = {('Darwin', 'arm64'), LINUX, ARM}
MXNET_BUILDS = {
    'cpu': {('Darwin', 'x86_64'), LINUX, ARM},
    'cu112': {LINUX},
    'cu117': {LINUX},
    '2': {('Darwin', 'x86_64'), LINUX},
}

# The package of Debian and Ubuntu that brings a library
PACKAGES = {
    'libgomp.so.1': 'libgomp1',
    'libquadmath.so.0': 'libquadmath0',
    'libopenblas.so.0': 'libopenblas0',
    'liblapacke.so.3': 'liblapacke',
}


def refusal(framework, system=None, machine=None, wheel='cpu'):
    """Return why `make` cannot install it here and what to do, or None.

    `system` and `machine` are as the functions of `platform` tell them,
    `wheel` is that of MXNet, as in `make run MXNET=`. PyTorch, TensorFlow and
    JAX have builds for the same machines.
    """
    system = system or platform.system()
    here = system, machine or platform.machine()
    name, builds = 'PyTorch, TensorFlow and JAX have', OTHER_BUILDS
    if framework == 'mxnet':
        name, builds = f'MXNet (MXNET={wheel}) has', MXNET_BUILDS[wheel]
    if system.startswith(('Windows', 'MSYS', 'MINGW', 'CYGWIN')):
        return (
            f'{name} no build for Windows that `make` installs: call `wsl '
            '--install` and do the same there (WSL is Linux), or install '
            "PyTorch by `pip install -e '.[torch]'`."
        )
    if system == 'Linux' and glob.glob('/lib/ld-musl-*'):
        return (
            f'{name} no build for systems with musl (Alpine): take another '
            'image, such as python:3.13.'
        )
    if here in builds:
        return None
    ways = ['a Linux machine with an x86-64 processor']
    if here in OTHER_BUILDS:
        ways.insert(0, 'PyTorch (`make run FRAMEWORK=torch`)')
    if here in MXNET_BUILDS['cpu']:
        ways.append('MXNet 1.9.1 (`make run MXNET=cpu`)')
    elif here in OTHER_BUILDS:
        ways.append('a wheel of MXNet 2 (`make run MXNET=FILE.whl`)')
    here, way = ' on '.join(here), ' or '.join(ways)
    return f'{name} no build for {here}: use {way}.'


def advice(error):
    """Return what to do when MXNet's library does not load.

    `error` is what the system's loader says, which names the library.
    """
    if 'libcuda.so' in error:
        return (
            'it is built for GPUs and there is no NVIDIA driver: install '
            'the driver, or MXNet for the CPU by `make setup MXNET=cpu`'
        )
    if any(name in error for _, name in cuda.LIBRARIES):
        return (
            "install the CUDA 11 libraries by `pip install -e '.[cuda-11]'`"
        )
    if re.match(r'lib(cu|nv)', error):
        return (
            "install CUDA 13, such as by `pip install 'cuda-toolkit[all]<14'`"
        )
    for library, package in PACKAGES.items():
        if library in error:
            return (
                f'install the package of your system that has {library} (on '
                f'Debian and Ubuntu, `apt install {package}`)'
            )
    return 'install the library that is named there'


def pip(*words):
    """Return the command by which this environment's pip does something."""
    return shlex.join([sys.executable, '-m', 'pip', *words])


def install(framework, wheel='cpu'):
    """Return the commands that install a framework, or install it again."""
    own = os.path.join(ROOT, os.environ.get('VENV') or '.venv')
    mxnet = framework == 'mxnet'
    if os.path.realpath(sys.prefix) == os.path.realpath(own):
        wanted = f'MXNET={wheel}' if mxnet else f'FRAMEWORK={framework}'
        return (shlex.join(['make', '-C', ROOT, 'setup', wanted]),)
    if not mxnet:
        return (_install_extras(framework),)
    gpu = wheel.startswith('cu')
    name = f'mxnet-{wheel}' if gpu else 'mxnet'
    version = '2.0.0b1' if wheel == '2' else '1.9.1'
    return (
        pip('install', '--no-deps', f'{name}=={version}', 'd2l==1.0.3'),
        _install_extras('mxnet-needs,cuda-11' if gpu else 'mxnet-needs'),
    )


def _install_extras(names):
    if os.path.exists(os.path.join(ROOT, 'setup.py')):
        return pip('install', '-e', f'{ROOT}[{names}]')
    return pip('install', f'd2l-vgg[{names}]')  # As it is installed


if __name__ == '__main__':
    wheel, pins, *frameworks = sys.argv[1:]
    for name in frameworks:
        if name != 'mxnet' or wheel in MXNET_BUILDS:
            told = refusal(name, wheel=wheel)
        else:  # What one brings oneself may be for other machines, too
            brought = wheel.endswith('.whl')
            told = brought and wheels.refusal_by_new_pip(wheel, pins)
        if told:
            sys.exit(f'setup: {told}')
