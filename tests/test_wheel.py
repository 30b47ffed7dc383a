"""What pip installs is whole: outside of a checkout it trains, too."""

import os
import re
import shutil
import subprocess
import sys

import frameworks
import pytest
from processes import ROOT

# What a checkout has besides is no part of what is published
SOURCES = ('setup.py', 'pyproject.toml', 'README.md', 'LICENSE', 'd2l_vgg')
# What setuptools says when pip or another tool asks it for the sources
MAKE_SDIST = (
    'import sys; from setuptools import build_meta; '
    'build_meta.build_sdist(sys.argv[1])'
)
NUM_TRAIN = 5120


@pytest.fixture(scope='module')
def sdist(tmp_path_factory):
    """The path of the archive of the sources, made of a copy of them."""
    folder = tmp_path_factory.mktemp('sdist')
    checkout = folder / 'checkout'
    checkout.mkdir()
    for name in SOURCES:
        path = os.path.join(ROOT, name)
        if os.path.isdir(path):
            no_caches = shutil.ignore_patterns('__pycache__')
            shutil.copytree(path, str(checkout / name), ignore=no_caches)
        else:
            shutil.copy(path, str(checkout))
    call([sys.executable, '-c', MAKE_SDIST, str(folder)], cwd=checkout)
    (path,) = folder.glob('*.tar.gz')
    return path


@pytest.fixture(scope='module')
def installed(sdist, tmp_path_factory):
    """A folder that holds what pip installs of a wheel of these sources."""
    folder = tmp_path_factory.mktemp('installed')
    pip = [sys.executable, '-m', 'pip', '--disable-pip-version-check']
    alone = ['--no-deps', '--no-index', '--no-cache-dir']
    wheels = ['--wheel-dir', str(folder / 'wheels')]
    call([*pip, 'wheel', *alone, '--no-build-isolation', *wheels, str(sdist)])
    (wheel,) = (folder / 'wheels').iterdir()
    target = folder / 'site'
    call([*pip, 'install', *alone, '--target', str(target), str(wheel)])
    return target


def call(command, **options):
    """Run a command that must succeed; return what it prints."""
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.slow
def test_installed_wheel_trains_and_predicts_on_its_own_images(
    installed, tmp_path
):
    found = [f.name for f in frameworks.FRAMEWORKS if f.is_installed()]
    if not found:
        pytest.skip('no framework is installed')
    environment = {**os.environ, 'PYTHONPATH': str(installed)}

    def d2l_vgg(*words):
        script = [sys.executable, str(installed / 'bin' / 'd2l-vgg')]
        words = [*words, '--framework', found[0]]
        return call([*script, *words], cwd=tmp_path, env=environment)

    code = 'import d2l_vgg; print(d2l_vgg.__file__)'
    where = call([sys.executable, '-c', code], cwd=tmp_path, env=environment)
    assert where.strip() == str(installed / 'd2l_vgg' / '__init__.py')

    said = d2l_vgg(
        *('train', '--experiment', 'quick', '--num-train', str(NUM_TRAIN)),
        *('--max-epochs', '1'),
    )
    assert f'on {NUM_TRAIN} images of 28 x 28' in said
    assert re.search(r"The book's full experiment takes about \d", said)
    last = said.splitlines()[-1]
    accuracy = re.match(
        r'Validation accuracy (0\.\d{4}) on the 10000 validation images of '
        'Fashion-MNIST',
        last,
    )
    # A tenth is what guessing gives
    assert accuracy and float(accuracy.group(1)) > 0.2, last
    said = d2l_vgg('predict', 'quick')
    assert float(re.search(r'Accuracy (0\.\d+)', said).group(1)) > 0.9
