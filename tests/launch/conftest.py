"""The frameworks that several workers train in."""

import frameworks
import pytest


@pytest.fixture(
    params=frameworks.FRAMEWORKS, ids=lambda f: f.name, scope='session'
)
def framework(request):
    """The name of a framework that is installed."""
    if not request.param.is_installed():
        pytest.skip(f'{request.param.name} is not installed')
    return request.param.name


@pytest.fixture
def any_framework():
    """The name of a framework, for what is alike in all."""
    installed = [f.name for f in frameworks.FRAMEWORKS if f.is_installed()]
    for name in 'torch', 'mxnet', 'jax', 'tensorflow':  # The quickest first
        if name in installed:
            return name
    pytest.skip('no framework is installed')
