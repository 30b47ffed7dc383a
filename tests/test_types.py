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
from d2l_vgg.training.loop import Trainer

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# The files of a framework's folder, and what the classes in them fulfil
INTERFACE = [
    ('training.py', Trainer),
    ('training.py', Classifier),
    ('data.py', FashionMNIST),
    ('data.py', Minibatches),
]

# What is made wrong in `d2l_vgg/mxnet/training.py`, and the complaint of it
WRONG = [
    (
        'def seed_device(self, seed: int) -> None:',
        'def seed_devise(self, seed: int) -> None:',
        'tests/interfaces.py:.*Only concrete class',
    ),
    (
        'def on_cpu(self) -> bool:',
        'def on_cpu(self) -> str:',
        'd2l_vgg/mxnet/training.py:.*"on_cpu" incompatible',
    ),
    (
        'def validation_step(self, batch: tuple) -> dict:',
        'def validation_step(self, batch: tuple) -> list:',
        'd2l_vgg/mxnet/training.py:.*"validation_step" incompatible',
    ),
    (
        'def wait_for(self, value: np.ndarray) -> None:',
        'def wait_for(self) -> None:',
        'd2l_vgg/mxnet/training.py:.*"wait_for" incompatible',
    ),
]


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec('mypy') is None, reason='no mypy: `make lint`'
)
def test_lint_complains_of_what_does_not_fulfil_the_interface(tmp_path):
    for name in 'd2l_vgg', 'pyproject.toml', 'tests/interfaces.py':
        source, target = os.path.join(ROOT, name), str(tmp_path / name)
        if os.path.isdir(source):
            unneeded = shutil.ignore_patterns('__pycache__', 'fashion-mnist')
            shutil.copytree(source, target, ignore=unneeded)
        else:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy(source, target)

    def check():
        """Return what mypy says of the package, as `make lint` calls it."""
        done = subprocess.run(
            [sys.executable, '-m', 'mypy'],
            cwd=str(tmp_path),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return done.stdout.replace(os.sep, '/').splitlines()

    assert check()[-1].startswith('Success')
    path = tmp_path / 'd2l_vgg' / 'mxnet' / 'training.py'
    text = path.read_text(encoding='utf-8')
    for right, wrong, _ in WRONG:
        assert right in text
        text = text.replace(right, wrong)
    path.write_text(text, encoding='utf-8')
    said = check()
    for _, _, complaint in WRONG:
        assert any(re.match(complaint, line) for line in said), said


# mypy looks into nothing that has no types
@pytest.mark.parametrize('folder', FRAMEWORKS)
def test_methods_of_the_interface_have_types(folder):
    for file, interface in INTERFACE:
        path = os.path.join(ROOT, 'd2l_vgg', folder, file)
        with open(path, encoding='utf-8') as opened:
            tree = ast.parse(opened.read())
        (found,) = [
            node
            for node in tree.body
            if isinstance(node, ast.ClassDef)
            and node.name == interface.__name__
        ]
        untyped = [
            node.name
            for node in found.body
            if isinstance(node, ast.FunctionDef)
            and node.name in interface.__abstractmethods__
            and node.returns is None
        ]
        assert untyped == [], file


def test_every_folder_is_in_the_lists():
    path = os.path.join(ROOT, 'tests', 'interfaces.py')
    with open(path, encoding='utf-8') as file:
        text = file.read()
    for folder in FRAMEWORKS:
        for _, interface in INTERFACE:
            name = interface.__name__
            assert re.search(rf'{folder}\.(data\.)?{name}\b', text)
