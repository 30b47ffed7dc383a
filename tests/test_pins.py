"""Which versions are installed: those of constraints/ and of setup.py."""

import importlib.metadata
import re
import runpy
import sys
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from d2l_vgg import cuda
from d2l_vgg.frameworks import CUDA_WHEELS

ROOT = Path(__file__).resolve().parent.parent

# The NumPy of each Python: d2l's own, the last NumPy 1, one of today
NUMPY = {
    **dict.fromkeys(['py310', 'py311'], '1.23.5'),
    'py312': '1.26.4',
    'py313': '2.4.6',
    'py314': '2.4.6',
    'frameworks-py311': '2.4.6',
    'frameworks-py312': '2.4.6',
}
TORCH, JAX = {'torch'}, {'jax', 'flax', 'optax'}
TENSORFLOW = {'tensorflow', 'tensorflow-cpu', 'keras'}
# Which of the other frameworks are pinned
OTHERS = {
    'py313': TORCH | JAX | TENSORFLOW,
    'py314': TORCH | JAX,  # TensorFlow has no release for it
    'frameworks-py311': TORCH | JAX | TENSORFLOW,
    'frameworks-py312': TORCH | JAX | TENSORFLOW,
}
# What is asked for on some Pythons only
NOT_EVERYWHERE = {
    'standard-imghdr': set(NUMPY) - {'py313', 'py314'},
}


@pytest.mark.parametrize('version', NUMPY)
def test_constraints_pin_whatever_the_package_asks_for(version):
    text = (ROOT / 'constraints' / f'{version}.txt').read_text()
    pins = [line for line in text.splitlines() if not line.startswith('#')]
    assert all(re.match(r'^[\w.-]+==[\w.]+$', pin) for pin in pins)
    names = [normal(pin.partition('==')[0]) for pin in pins]
    assert len(names) == len(set(names))
    # By name, in its extras, too; the two that come without their lists of
    # needs have one version, in setup.py
    for needed in importlib.metadata.requires('d2l-vgg'):
        name = normal(re.match(r'[\w.-]+', needed).group())
        cuda_11 = name.startswith('nvidia-') and name.endswith('-cu11')
        if name.startswith('mxnet') or cuda_11 or name == 'd2l':
            wanted = False
        elif name in TORCH | JAX | TENSORFLOW:
            wanted = name in OTHERS.get(version, ())
        else:
            wanted = version not in NOT_EVERYWHERE.get(name, ())
        assert (name in names) == wanted, name
    assert f'numpy=={NUMPY[version]}' in pins


def test_all_files_name_the_same_pythons(monkeypatch):
    setuptools = pytest.importorskip('setuptools')
    told = {}
    monkeypatch.setattr(setuptools, 'setup', lambda **said: told.update(said))
    runpy.run_path(str(ROOT / 'setup.py'))
    minors = sorted(
        int(path.stem[3:]) for path in (ROOT / 'constraints').glob('py3*.txt')
    )
    first, last = minors[0], minors[-1]
    assert minors == list(range(first, last + 1))
    assert told['python_requires'] == f'>=3.{first}'
    assert told['classifiers'] == [
        'Programming Language :: Python :: 3',
        *(f'Programming Language :: Python :: 3.{x}' for x in minors),
    ]
    tools = (ROOT / 'pyproject.toml').read_text()
    assert f"\ntarget-version = 'py3{first}'" in tools
    script = (ROOT / 'scripts' / 'setup_env.sh').read_text()
    assert f'sys.version_info < (3, {first})' in script
    oldest = min(
        int(path.stem.partition('py3')[2])
        for path in (ROOT / 'constraints').glob('*.txt')
        if '\ntorch==' in path.read_text()
    )
    assert f'= mxnet ] || oldest=3.{oldest}\n' in script
    assert f'(3.{first} to' in script and f"'3.{last} have)" in script


def test_installed_versions_are_for_every_release_of_this_python():
    """soupsieve 4.1.2 asks for Python 3.11.5; Debian 12 has 3.11.2."""
    major, minor = sys.version_info[:2]
    pins = ROOT / 'constraints' / f'py{major}{minor}.txt'
    if not pins.exists():
        pytest.skip('nothing is pinned for this Python')
    pinned = {
        line.partition('==')[0] for line in pins.read_text().split('\n')
    }
    checked = 0
    for package in importlib.metadata.distributions():
        name = package.metadata['Name']
        asked = package.metadata.get('Requires-Python')
        if normal(name) in pinned and asked:
            checked += 1
            assert SpecifierSet(asked).contains(f'{major}.{minor}.0'), name
    assert checked > 20


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


def normal(name):
    """Return the name of a package as PyPI compares it."""
    return re.sub(r'[-_.]+', '-', name).lower()
