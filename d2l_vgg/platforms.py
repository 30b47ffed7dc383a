"""Where MXNet 1.9.1 can be had, and what to do where it cannot.

`python -m d2l_vgg.platforms` tells it in one line before anything is
installed; nothing but Python is needed for that.
"""

import glob
import platform
import sys

from d2l_vgg import cuda

OTHER_WAY = (
    'use a Linux machine with an x86-64 processor, or the PyTorch tab of the '
    "book's section, which needs no MXNet "
    '(https://d2l.ai/chapter_convolutional-modern/vgg.html)'
)

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
    if system == 'Darwin' and machine != 'x86_64':
        return (
            'MXNet has no build for Macs with Apple silicon (pip would take '
            f'1.6.0, which does not work there): {OTHER_WAY}.'
        )
    if system == 'Windows' or system.startswith(('MSYS', 'MINGW', 'CYGWIN')):
        return (
            'MXNet has had no build for Windows since version 1.7: call '
            '`wsl --install` and do the same there (WSL is Linux), or '
            f'{OTHER_WAY}.'
        )
    if system not in ('Darwin', 'Linux') or machine not in (
        'x86_64',
        'aarch64',
    ):
        return f'MXNet has no build for {system} on {machine}: {OTHER_WAY}.'
    if system == 'Linux' and glob.glob('/lib/ld-musl-*'):
        return (
            'MXNet needs the C library of GNU, and this system (Alpine) has '
            f'musl: take another image, such as python:3.13, or {OTHER_WAY}.'
        )
    return None


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
    family = family_of(_os_release())
    if family is None:
        return f'install the package of your system that has {missing[0]}'
    return f'run `{INSTALL[family]} {PACKAGES[missing[0]][family]}`'


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


if __name__ == '__main__':
    if refusal():
        sys.exit(f'setup: {refusal()}')
    if remark():
        print(f'setup: {remark()}')
