"""Parameters are those of this network, and can be, or are refused."""

import numpy as np
import pytest

from d2l_vgg.training import parameters

SHAPES = {'conv1_1.weight': (2, None, 3, 3), 'norm1_1.running_var': (2,)}


def arrays(**changes):
    found = {
        'conv1_1.weight': np.zeros((2, 1, 3, 3), 'float32'),
        'norm1_1.running_var': np.ones(2, 'float32'),
    }
    return {**found, **{k.replace('__', '.'): v for k, v in changes.items()}}


def test_what_fits_comes_back(tmp_path):
    path = str(tmp_path / 'parameters.safetensors')
    digest = parameters.save(path, arrays())
    found = parameters.load(path)
    parameters.check_match(path, found, SHAPES)
    parameters.check_digest(path, digest)
    with pytest.raises(ValueError, match='not those that the run'):
        parameters.check_digest(path, digest[::-1])


@pytest.mark.parametrize(
    'change, words',
    [
        (
            {'conv1_1__weight': np.zeros((3, 1, 3, 3), 'f4')},
            'another network',
        ),
        ({'conv1_1__weight': np.zeros((2, 1, 3), 'f4')}, 'of another'),
        ({'conv1_1__weight': np.zeros((2, 1, 3, 3), 'f8')}, 'float64'),
        ({'dense1__weight': np.zeros(2, 'f4')}, 'and missing in this one'),
        ({'norm1_1__running_var': -np.ones(2, 'f4')}, 'negative variance'),
        ({'norm1_1__running_var': np.full(2, np.nan, 'f4')}, 'nan or inf'),
    ],
)
def test_what_does_not_fit_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        parameters.check_match('a.safetensors', arrays(**change), SHAPES)
