"""A framework's folder that does not fulfil the interface fails `make lint`.

The folder of MXNet is made wrong in a copy of the package.
"""

import ast
import importlib.util
import os
import re
import shutil
import subprocess
import sys

import pytest

from d2l_vgg.datasets.minibatches import Minibatches
from d2l_vgg.frameworks import FRAMEWORKS
from d2l_vgg.training.classifier import Classifier
from d2l_vgg.training.data import FashionMNIST
from d2l_vgg.training.trainer import Trainer

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

needs_mypy = pytest.mark.skipif(
    importlib.util.find_spec('mypy') is None, reason='no mypy: `make lint`'
)

# The files of a framework's folder, and what the classes in them fulfil
INTERFACE = [
    ('trainer.py', Trainer),
    ('classifier.py', Classifier),
    ('data.py', FashionMNIST),
    ('data.py', Minibatches),
]

DETACH = '    def detach(self, value: np.ndarray) -> np.ndarray:\n'


@pytest.fixture(scope='module')
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp('cache')


@pytest.fixture
def copy(tmp_path):
    shutil.copytree(
        os.path.join(ROOT, 'd2l_vgg'),
        str(tmp_path / 'd2l_vgg'),
        ignore=shutil.ignore_patterns('__pycache__'),
    )
    shutil.copy(os.path.join(ROOT, 'pyproject.toml'), str(tmp_path))
    (tmp_path / 'tests').mkdir()
    shutil.copy(
        os.path.join(ROOT, 'tests', 'interfaces.py'), str(tmp_path / 'tests')
    )
    return tmp_path


def check(copy, cache):
    """Return what mypy says of the package, as `make lint` calls it."""
    done = subprocess.run(
        [sys.executable, '-m', 'mypy', '--cache-dir', str(cache)],
        cwd=str(copy),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = done.stdout.replace(os.sep, '/').strip()
    assert (done.returncode == 0) == said.startswith('Success'), said
    return said


@needs_mypy
def test_the_package_fulfils_it(copy, cache):
    assert check(copy, cache).startswith('Success')


@needs_mypy
@pytest.mark.parametrize(
    'right, wrong, complaint',
    [
        (
            DETACH + '        return value.detach()\n',
            '',
            'tests/interfaces.py:.*Only concrete class',
        ),
        (
            DETACH,
            DETACH.replace('detach', 'detatch'),
            'tests/interfaces.py:.*Only concrete class',
        ),
        (
            'def on_cpu(self) -> bool:',
            'def on_cpu(self) -> str:',
            'd2l_vgg/mxnet/trainer.py:.*"on_cpu" incompatible',
        ),
        (
            'def arrays(self) -> Arrays:',
            'def arrays(self) -> list[Arrays]:',
            'd2l_vgg/mxnet/trainer.py:.*"arrays" incompatible',
        ),
        (
            'def wait_for(self, value: np.ndarray) -> None:',
            'def wait_for(self) -> None:',
            'd2l_vgg/mxnet/trainer.py:.*"wait_for" incompatible',
        ),
    ],
    ids=['left out', 'misspelt', 'type', 'return', 'argument'],
)
def test_what_does_not_fulfil_it(copy, cache, right, wrong, complaint):
    path = copy / 'd2l_vgg' / 'mxnet' / 'trainer.py'
    text = path.read_text(encoding='utf-8')
    assert right in text
    path.write_text(text.replace(right, wrong), encoding='utf-8')
    said = check(copy, cache)
    assert any(re.match(complaint, line) for line in said.splitlines()), said


# mypy looks into nothing that has no types
@pytest.mark.parametrize('folder', FRAMEWORKS)
@pytest.mark.parametrize('file, interface', INTERFACE)
def test_methods_of_the_interface_have_types(folder, file, interface):
    path = os.path.join(ROOT, 'd2l_vgg', folder, file)
    with open(path, encoding='utf-8') as opened:
        tree = ast.parse(opened.read())
    (found,) = [
        node
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name == interface.__name__
    ]
    untyped = [
        node.name
        for node in found.body
        if isinstance(node, ast.FunctionDef)
        and node.name in interface.__abstractmethods__
        and node.returns is None
    ]
    assert untyped == []


@pytest.mark.parametrize('folder', FRAMEWORKS)
def test_every_folder_is_in_the_lists(folder):
    with open(
        os.path.join(ROOT, 'tests', 'interfaces.py'), encoding='utf-8'
    ) as file:
        text = file.read()
    for _, interface in INTERFACE:
        assert re.search(rf'{folder}\.(data\.)?{interface.__name__}\b', text)
