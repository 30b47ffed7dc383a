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
LINUX_BUILDS = {('Linux', 'x86_64'), ('Linux', 'aarch64')}
MXNET_BUILDS = {('Darwin', 'x86_64'), *LINUX_BUILDS}
OTHER_BUILDS = {('Darwin', 'arm64'), *LINUX_BUILDS}
WINDOWS = (
    'call `wsl --install` and do the same there (WSL is Linux), or install '
    "PyTorch by `pip install -e '.[torch]'`."
)

# How a family of systems installs a package
INSTALL = {
    'debian': 'apt install',
    'fedora': 'dnf install',
    'suse': 'zypper install',
    'arch': 'pacman -S',
}
# The package that brings a library, in each of these families
PACKAGES = {
    library: dict(zip(INSTALL, packages.split()))
    for library, packages in {
        'libgomp.so.1': 'libgomp1 libgomp libgomp1 gcc-libs',
        'libquadmath.so.0': 'libquadmath0 libquadmath libquadmath0 gcc-libs',
        'libopenblas.so.0': 'libopenblas0 openblas libopenblas0 openblas',
        'liblapacke.so.3': 'liblapacke lapack liblapacke3 lapacke',
    }.items()
}


def refusal(system=None, machine=None):
    """Return why MXNet cannot be had here and what to do, or None.

    Args:
        system, machine: as `platform.system()` and `platform.machine()` tell
    """
    system = system or platform.system()
    machine = machine or platform.machine()
    if is_windows(system):
        return (
            f'MXNet has had no build for Windows since version 1.7: {WINDOWS}'
        )
    if has_musl(system):
        return (
            'MXNet needs the C library of GNU, and this system (Alpine) has '
            'musl: take another image, such as python:3.13.'
        )
    if (system, machine) in MXNET_BUILDS:
        return None
    reason = f'MXNet has no build for {system} on {machine}'
    if system == 'Darwin':
        reason = (
            'MXNet has no build for Macs with Apple silicon (pip would take '
            '1.6.0, which does not work there)'
        )
    if (system, machine) in OTHER_BUILDS:
        return f'{reason}: use PyTorch (`make run FRAMEWORK=torch`).'
    return f'{reason}: use {LINUX}.'


def refusal_of_others(system=None, machine=None):
    """Return why `make` cannot install the other frameworks here, or None.

    PyTorch, TensorFlow and JAX have builds for the same machines. Arguments
    are those of `refusal`.
    """
    system = system or platform.system()
    machine = machine or platform.machine()
    if is_windows(system):
        return f'`make` does not set up on Windows: {WINDOWS}'
    if has_musl(system):
        return (
            'PyTorch, TensorFlow and JAX have no builds for systems with '
            'musl (Alpine): take another image, such as python:3.13.'
        )
    if (system, machine) in OTHER_BUILDS:
        return None
    other = ', or MXNet' if (system, machine) in MXNET_BUILDS else ''
    return (
        'PyTorch, TensorFlow and JAX of today have no builds for '
        f'{system} on {machine}: use {LINUX}{other}.'
    )


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
    own = family_of(_os_release())
    if own is None:
        return f'install the package of your system that has {missing[0]}'
    return f'run `{INSTALL[own]} {PACKAGES[missing[0]][own]}`'


def family_of(os_release):
    """Return the key of `INSTALL` of a system by its /etc/os-release."""
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
        mxnet = framework == 'mxnet'
        wanted = f'MXNET={wheel}' if mxnet else f'FRAMEWORK={framework}'
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
