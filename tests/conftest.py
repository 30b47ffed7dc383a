"""What the tests share."""

import os
import shutil
import tempfile

import pytest

from d2l_vgg import compatibility

# Many tests import MXNet before anything else
compatibility.prepare()

# So that their assertions tell the values, too
pytest.register_assert_rewrite('command_line')

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
