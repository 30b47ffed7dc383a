"""The frameworks that several workers can train in."""

import frameworks
import pytest

WITH_ENGINE = [f for f in frameworks.FRAMEWORKS if f.name != 'tensorflow']


@pytest.fixture(params=WITH_ENGINE, ids=lambda f: f.name, scope='session')
def framework(request):
    """The name of a framework that is installed."""
    if not request.param.is_installed():
        pytest.skip(f'{request.param.name} is not installed')
    return request.param.name


@pytest.fixture
def any_framework():
    """The name of a framework for what is alike in all, the quickest."""
    for name in 'torch', 'mxnet', 'jax':
        if {f.name: f for f in WITH_ENGINE}[name].is_installed():
            return name
    pytest.skip('no framework with workers is installed')
