"""The framework that each test of a trainer runs in, once for each."""

import importlib

import pytest
from frameworks import PARAMS


@pytest.fixture(params=PARAMS, scope='session')
def framework(request):
    return request.param


@pytest.fixture(scope='session')
def package(framework):
    """`d2l_vgg.mxnet`, or another."""
    return framework.package


@pytest.fixture(scope='session')
def own(package, framework):
    """What a reader may write himself in this framework."""
    return importlib.import_module(f'own_{framework.name}')
