"""Which packages are installed, MXNet above all, told without importing them.

pip's wheels for the processor and for each CUDA share one folder. An MXNet
that pip did not install, as in NVIDIA's container, is a folder on Python's
path without a word about it.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import re
from typing import NamedTuple

from d2l_vgg import cuda
from d2l_vgg.frameworks import CUDA_WHEELS, FRAMEWORKS

WHEELS = ('mxnet', *CUDA_WHEELS)
# What computes, besides the packages of a framework
PACKAGES = ('d2l-vgg', 'numpy')


def versions(framework: str | None) -> dict[str, str]:
    """Return the versions of Python and of the packages that compute."""
    found = {'python': platform.python_version()}
    own = FRAMEWORKS[framework].packages if framework else ()
    for package in (*PACKAGES, *own):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    if framework == 'mxnet' and not set(WHEELS) & set(found):
        # As in NVIDIA's container, where pip did not install it
        mxnet = find()
        if mxnet and mxnet.version:
            found['mxnet'] = mxnet.version
    return found


class MXNet(NamedTuple):
    """An installed MXNet.

    `wheels` are the packages of pip that claim to have installed it, none
    where pip did not; `folder` is that of the module, `library` the file that
    computes; what is missing is None.
    """

    wheels: tuple[str, ...]
    version: str | None
    folder: str | None
    library: str | None


def find() -> MXNet | None:
    """Return the MXNet that `import mxnet` would take, None without one."""
    wheels = tuple(filter(cuda.is_installed, WHEELS))
    folder = find_folder()
    if folder is None and not wheels:
        return None
    if wheels:
        version = importlib.metadata.version(wheels[0])
    else:
        version = _version_in(folder)
    return MXNet(wheels, version, folder, folder and find_library(folder))


def find_folder() -> str | None:
    """Return the folder of MXNet's module, None where there is none."""
    try:
        spec = importlib.util.find_spec('mxnet')
    except ValueError:  # A module by that name that says nothing of itself
        return None
    # What an uninstalled one has left behind is a folder without a module
    if spec is None or not spec.origin:
        return None
    return os.path.dirname(os.path.abspath(spec.origin))


def find_library(folder: str) -> str | None:
    """Return MXNet's library, searched where MXNet itself searches it."""
    named = os.environ.get('MXNET_LIBRARY_PATH')
    if named and os.path.isfile(named) and os.path.isabs(named):
        return named
    folders = [
        *filter(None, os.environ.get('LD_LIBRARY_PATH', '').split(':')),
        folder,
        os.path.join(folder, '..', '..', 'lib'),
        os.path.join(folder, '..', '..', 'build'),
    ]
    for place in folders:
        for name in 'libmxnet.so', 'libmxnet.dylib':
            path = os.path.normpath(os.path.join(place, name))
            if os.path.isfile(path):
                return path
    return None


def _version_in(folder):
    """Return the version that an MXNet itself tells, None if it does not."""
    try:
        path = os.path.join(folder, 'libinfo.py')
        with open(path, encoding='utf-8', errors='replace') as file:
            text = file.read()
    except OSError:
        return None
    found = re.search(r"^__version__ *= *['\"](.+?)['\"]", text, re.M)
    return found and found.group(1)
