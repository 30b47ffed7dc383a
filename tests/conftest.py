"""What the tests share."""

import os
import shutil
import tempfile

import pytest

from d2l_vgg import compatibility
from d2l_vgg.datasets import fashion_mnist

# Many tests import MXNet before anything else
compatibility.prepare()

# So that their assertions tell the values, too
pytest.register_assert_rewrite('command_line', 'small_files')

# What a reader has set for his own trainings is not what is tested
os.environ.pop('D2L_VGG_TRIAL', None)


def pytest_configure(config):
    """What JAX has compiled for one test serves the others of a session.

    It looks into these variables when it is imported.
    """
    config.compiled = tempfile.mkdtemp(prefix='compiled-')
    os.environ['JAX_COMPILATION_CACHE_DIR'] = config.compiled
    os.environ['JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS'] = '0'
    os.environ['JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES'] = '-1'


def pytest_unconfigure(config):
    shutil.rmtree(config.compiled, ignore_errors=True)


@pytest.fixture(scope='session')
def real_root():
    """The folder of the real Fashion-MNIST, or a skip that says so."""
    here = os.path.dirname(os.path.abspath(__file__))
    beside = os.path.join(here, '..', '..', 'shared', 'data', 'fashion-mnist')
    folders = [os.environ.get('D2L_VGG_DATA'), os.path.normpath(beside)]
    for folder in filter(None, folders):
        if os.path.isdir(folder):
            rows = fashion_mnist.status(folder)
            if all(state == 'whole' for _, _, state in rows):
                return folder
    pytest.skip(
        'real Fashion-MNIST not found: set D2L_VGG_DATA to its folder'
    )
