"""Which versions are installed: those of requirements/ and of setup.py."""

import importlib.metadata
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from d2l_vgg import cuda
from d2l_vgg.frameworks import CUDA_WHEELS

ROOT = Path(__file__).resolve().parent.parent
OTHERS = {'torch', 'jax', 'tensorflow'}


def pins(name, version):
    """Return what `requirements/NAME.txt` pins for such a Python on Linux."""
    environment = {
        'python_version': version,
        'python_full_version': f'{version}.0',
        'sys_platform': 'linux',
        'platform_machine': 'x86_64',
    }
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    pinned = {}
    for line in lines:
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or marker.evaluate(environment):
            assert requirement.name not in pinned
            (specifier,) = requirement.specifier
            assert specifier.operator == '=='
            pinned[requirement.name] = specifier.version
    return pinned


@pytest.mark.parametrize(
    'name, version, numpy, frameworks',
    [
        # The NumPy of d2l, the last NumPy 1, one of today
        ('mxnet', '3.10', '1.23.5', set()),
        ('mxnet', '3.11', '1.23.5', set()),
        ('mxnet', '3.12', '1.26.4', set()),
        ('mxnet', '3.13', '2.4.6', set()),
        ('mxnet', '3.14', '2.4.6', set()),
        ('all', '3.11', '2.4.6', OTHERS),
        ('all', '3.12', '2.4.6', OTHERS),
        ('all', '3.13', '2.4.6', OTHERS),
        # TensorFlow has no release for it
        ('all', '3.14', '2.4.6', {'torch', 'jax'}),
    ],
)
def test_requirements_pin_whatever_the_package_asks_for(
    name, version, numpy, frameworks
):
    pinned = pins(name, version)
    assert pinned['numpy'] == numpy
    assert frameworks == OTHERS & set(pinned)
    extras = {
        *('', 'mxnet-needs', 'test', 'book', 'notebook', 'lint', 'mpi'),
        *frameworks,
    }
    environment = {'python_version': version, 'sys_platform': 'linux'}
    environment['platform_machine'] = 'x86_64'
    for line in importlib.metadata.requires('d2l-vgg'):
        needed = Requirement(line)
        if any(
            needed.marker is None
            or needed.marker.evaluate({**environment, 'extra': extra})
            for extra in extras
        ):
            pin = pinned[canonicalize_name(needed.name)]
            assert needed.specifier.contains(pin), line


def test_extras_hold_what_the_wheels_of_mxnet_need():
    required = {}
    for line in importlib.metadata.requires('d2l-vgg'):
        name, extra = re.match(
            r'([\w.-]+)(?:.*extra == .([\w-]+).)?', line
        ).groups()
        required.setdefault(extra, set()).add(name)
    assert required['mxnet-needs'] >= {'graphviz', 'pandas'}
    folders = {folder for folder, _ in cuda.LIBRARIES}
    packages = {f'nvidia-{f.replace("_", "-")}-cu11' for f in folders}
    assert required['cuda-11'] == packages
    for wheel in CUDA_WHEELS:
        assert required[wheel[6:]] >= packages | {wheel, 'd2l', 'pandas'}
