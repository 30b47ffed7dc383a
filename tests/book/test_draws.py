"""The initial parameters are those of the book's published runs."""

import os

import numpy as onp
import pytest
from processes import ROOT, run_python

from d2l_vgg import frameworks
from d2l_vgg.book import draws
from d2l_vgg.networks.architectures import Architecture

# What the book's notebook does up to its training, in a fresh process that
# sets no seed; on a GPU, too, parameters are drawn on the CPU
BOOK = """
import d2l_vgg.mxnet  # Makes MXNet work on this Python
import numpy
import section
from d2l import mxnet as d2l
from mxnet import np
VGG = section.CLASSES['mxnet'](d2l)
VGG(((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))).layer_summary(
    (1, 1, 224, 224))
model = VGG(((1, 16), (1, 32), (2, 64), (2, 128), (2, 128)), lr=0.01)
model(np.zeros((1, 1, 224, 224)))
params = model.net.collect_params().values()
numpy.savez(PATH, *[param.data().asnumpy() for param in params])
"""


@pytest.mark.slow
def test_the_published_draw_is_that_of_the_books_notebook(tmp_path):
    pytest.importorskip('mxnet')
    from mxnet import np

    from d2l_vgg.mxnet import VGG

    path = str(tmp_path / 'book.npz')
    code = BOOK.replace('PATH', repr(path))
    folders = os.pathsep.join([ROOT, f'{ROOT}/benchmarks'])
    run_python(code, timeout=600, OMP_NUM_THREADS='1', PYTHONPATH=folders)
    model = VGG('vgg_small', lr=0.01)
    np.random.uniform()  # Whatever was drawn before does not matter
    draws.draw_as_published('mxnet', model)
    params = model.net.collect_params().values()
    book = onp.load(path)
    assert len(params) == len(book.files) == 22
    for param, name in zip(params, book.files):
        onp.testing.assert_array_equal(param.data().asnumpy(), book[name])


TINY = Architecture('tiny', blocks=((1, 16), (2, 32)), hidden=(256,))
BY_RULE = ['torch', 'tensorflow', 'jax']


def drawn(name, seed=3):
    """Return name -> array of a network that was drawn as published."""
    model = frameworks.load(name).VGG(TINY)
    draws.draw_as_published(name, model, 32, seed)
    return model.arrays()


@pytest.mark.parametrize('name', BY_RULE)
def test_the_distribution_is_that_of_the_published_runs(name):
    """Each layer against the formulas of the framework's initializers."""
    pytest.importorskip(name)
    arrays = drawn(name)
    weights = [n for n in arrays if n.endswith('weight')]
    assert len(weights) == 5
    for weight in weights:
        w, b = arrays[weight], arrays[weight.replace('weight', 'bias')]
        fan_in, fan_out = w[0].size, w[:, 0].size
        if name == 'jax':
            # A normal distribution cut off at two deviations, of which then
            # 0.8796 is left
            deviation, bound = fan_in**-0.5, 2 * fan_in**-0.5 / 0.8796
        else:
            bound = (6 / (fan_in + fan_out)) ** 0.5
            deviation = bound / 3**0.5
        assert 0.9 * bound < abs(w).max() <= 1.0001 * bound
        assert w.std() == pytest.approx(deviation, rel=4 / w.size**0.5)
        assert abs(w.mean()) < 4 * deviation / w.size**0.5
        bound = fan_in**-0.5 if name == 'torch' else 0
        assert 0.7 * bound <= abs(b).max() <= bound


@pytest.mark.parametrize('name', BY_RULE)
def test_the_seed_decides_the_draw(name):
    pytest.importorskip(name)
    one, again, other = drawn(name), drawn(name), drawn(name, seed=4)
    for key, array in one.items():
        onp.testing.assert_array_equal(array, again[key])
        if key.endswith('weight'):
            assert (array != other[key]).mean() > 0.99
