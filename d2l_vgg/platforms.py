"""Where MXNet 1.9.1 and the other frameworks can be had, and what to do else.

`python -m d2l_vgg.platforms FRAMEWORK...` tells it in one line before
anything is installed; nothing but Python is needed for that.
"""

import glob
import importlib.metadata
import os
import platform
import re
import shlex
import sys

from d2l_vgg import cuda

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

LINUX = 'a Linux machine with an x86-64 processor'

# The package that brings a library, by the family that a system belongs to
PACKAGES = {
    'libgomp.so.1': {
        'debian': 'libgomp1',
        'fedora': 'libgomp',
        'suse': 'libgomp1',
        'arch': 'gcc-libs',
    },
    'libquadmath.so.0': {
        'debian': 'libquadmath0',
        'fedora': 'libquadmath',
        'suse': 'libquadmath0',
        'arch': 'gcc-libs',
    },
    'libopenblas.so.0': {
        'debian': 'libopenblas0',
        'fedora': 'openblas',
        'suse': 'libopenblas0',
        'arch': 'openblas',
    },
    'liblapacke.so.3': {
        'debian': 'liblapacke',
        'fedora': 'lapack',
        'suse': 'liblapacke3',
        'arch': 'lapacke',
    },
}
INSTALL = {
    'debian': 'apt install',
    'fedora': 'dnf install',
    'suse': 'zypper install',
    'arch': 'pacman -S',
}


def refusal(system=None, machine=None):
    """Return why MXNet cannot be had here and what to do, or None.

    Args:
        system, machine: as `platform.system()` and `platform.machine()` tell
    """
    system = system or platform.system()
    machine = machine or platform.machine()
    reason = why_no_mxnet(system, machine)
    if reason is None:
        return None
    if is_windows(system):
        return (
            f'{reason}: call `wsl --install` and do the same there (WSL is '
            "Linux), or install PyTorch by `pip install -e '.[torch]'`."
        )
    if has_musl(system):
        return f'{reason}: take another image, such as python:3.13.'
    if refusal_of_others(system, machine) is None:
        return f'{reason}: use PyTorch (`make run FRAMEWORK=torch`).'
    return f'{reason}: use {LINUX}.'


def why_no_mxnet(system, machine):
    """Return why MXNet cannot be had on such a machine, or None."""
    if system == 'Darwin' and machine != 'x86_64':
        return (
            'MXNet has no build for Macs with Apple silicon (pip would take '
            '1.6.0, which does not work there)'
        )
    if is_windows(system):
        return 'MXNet has had no build for Windows since version 1.7'
    if system not in ('Darwin', 'Linux') or machine not in (
        'x86_64',
        'aarch64',
    ):
        return f'MXNet has no build for {system} on {machine}'
    if has_musl(system):
        return (
            'MXNet needs the C library of GNU, and this system (Alpine) has '
            'musl'
        )
    return None


def refusal_of_others(system=None, machine=None):
    """Return why `make` cannot install the other frameworks here, or None.

    PyTorch, TensorFlow and JAX have builds for the same machines. Arguments
    are those of `refusal`.
    """
    system = system or platform.system()
    machine = machine or platform.machine()
    if is_windows(system):
        return (
            '`make` does not set up on Windows: call `wsl --install` and do '
            'the same there (WSL is Linux), or install PyTorch by '
            "`pip install -e '.[torch]'`."
        )
    if has_musl(system):
        return (
            'PyTorch, TensorFlow and JAX have no builds for systems with '
            'musl (Alpine): take another image, such as python:3.13.'
        )
    builds = ('Darwin', 'arm64'), ('Linux', 'x86_64'), ('Linux', 'aarch64')
    if (system, machine) not in builds:
        other = ', or MXNet' if why_no_mxnet(system, machine) is None else ''
        return (
            'PyTorch, TensorFlow and JAX of today have no builds for '
            f'{system} on {machine}: use {LINUX}{other}.'
        )
    return None


def is_windows(system):
    """Return whether `system` is Windows, or one of its shells."""
    return system == 'Windows' or system.startswith(
        ('MSYS', 'MINGW', 'CYGWIN')
    )


def has_musl(system):
    """Return whether this is a Linux without the C library of GNU."""
    return system == 'Linux' and bool(glob.glob('/lib/ld-musl-*'))


def remark(system=None, machine=None):
    """Return what a reader should know who runs MXNet here, or None."""
    system = system or platform.system()
    machine = machine or platform.machine()
    if system == 'Darwin':
        return (
            'MXNet 1.9.1 has a build for Macs with Intel processors, but '
            'this project has not tested it.'
        )
    if system == 'Linux' and machine == 'aarch64':
        return (
            'MXNet for ARM needs the libraries OpenBLAS and LAPACKE of the '
            'system, and this project has only tried it under emulation.'
        )
    return None


def advice(error):
    """Return what to do when MXNet's library does not load.

    `error` is what the system's loader says, which names the library.
    """
    if 'libcuda.so' in error:
        return (
            'it is built for GPUs and there is no NVIDIA driver: install '
            'the driver, or MXNet for the CPU with `make setup MXNET=cpu` '
            '(by hand, `pip uninstall mxnet-cu112 mxnet-cu117` and then '
            '`pip install --no-deps mxnet==1.9.1`)'
        )
    if any(name.split('.so')[0] in error for _, name in cuda.LIBRARIES):
        return (
            "install the CUDA 11 libraries by `pip install -e '.[cuda-11]'`"
        )
    missing = [name for name in PACKAGES if name in error]
    if not missing:
        return 'install the library that is named there'
    own = family()
    if own is None:
        return f'install the package of your system that has {missing[0]}'
    return f'run `{INSTALL[own]} {PACKAGES[missing[0]][own]}`'


def family():
    """Return the key of `INSTALL` that this system belongs to, or None."""
    return family_of(_os_release())


def family_of(os_release):
    """Return the key of `INSTALL` that a system belongs to, or None.

    `os_release` is the text of its file /etc/os-release.
    """
    fields = dict(
        line.split('=', 1) for line in os_release.splitlines() if '=' in line
    )
    names = f'{fields.get("ID", "")} {fields.get("ID_LIKE", "")}'
    for name in names.replace('"', '').replace("'", '').split():
        for family in INSTALL:
            if family in name:  # As in opensuse-leap
                return family
    return None


def _os_release():
    try:
        with open('/etc/os-release', encoding='utf-8') as file:
            return file.read()
    except OSError:
        return ''


def pip(*words):
    """Return the command by which this environment's pip does something."""
    return shlex.join([sys.executable, '-m', 'pip', *words])


def install(framework, wheel='cpu'):
    """Return the commands that install a framework, or install it again."""
    own = os.path.join(ROOT, os.environ.get('VENV') or '.venv')
    if os.path.realpath(sys.prefix) == os.path.realpath(own):
        wanted = f'FRAMEWORK={framework}'
        if framework == 'mxnet':
            wanted = f'MXNET={wheel}'
        return (shlex.join(['make', '-C', ROOT, 'setup', wanted]),)
    if framework != 'mxnet':
        return (pip('install', *needs(framework)),)
    name = 'mxnet' if wheel == 'cpu' else f'mxnet-{wheel}'
    more = needs('cuda-11') if wheel != 'cpu' else ()
    return (
        pip('install', '--no-deps', f'{name}==1.9.1', 'd2l==1.0.3'),
        pip('install', *needs('mxnet-needs'), *more),
    )


def needs(extra):
    """Return what this package names as needed for one of its extras."""
    named = importlib.metadata.requires('d2l-vgg') or []
    marker = re.compile(rf'extra == .{extra}.')
    return [n.split(';')[0].strip() for n in named if marker.search(n)]


def main(*frameworks):
    """Tell whether `frameworks` can be had here; end with 1 if one cannot."""
    refused = None
    if 'mxnet' in frameworks:
        refused = refusal()
        if not refused and remark():
            print(f'setup: {remark()}')
    if set(frameworks) - {'mxnet'}:
        refused = refused or refusal_of_others()
    if refused:
        sys.exit(f'setup: {refused}')


if __name__ == '__main__':
    main(*sys.argv[1:])
