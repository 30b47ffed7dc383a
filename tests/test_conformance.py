"""What every implementation of every network of the family must fulfil.

The suite runs for each framework of `frameworks.py` that is installed.
"""

import dataclasses
import functools

import numpy as np
import pytest
from frameworks import FRAMEWORKS, images
from numpy_vgg import loss_and_gradients

from d2l_vgg.networks import architectures, costs

X_SHAPE = (2, 1, 32, 32)
SMALL = architectures.Architecture(
    name='tiny', blocks=((1, 4), (2, 6)), hidden=(16, 8), dropout=0
)


@pytest.fixture(params=FRAMEWORKS, ids=lambda f: f.name, scope='module')
def framework(request):
    if not request.param.is_installed():
        pytest.skip(f'{request.param.name} is not installed')
    return request.param


@functools.lru_cache(maxsize=1)  # The larger ones take half a GiB each
def build(framework, arch):
    return framework.build(arch, X_SHAPE)


@pytest.fixture(params=architectures.VGG_NAMES, scope='module')
def name(request):
    return request.param


@pytest.fixture(scope='module')
def model(framework, name):
    return build(framework, name)


def test_output_shape(framework, model):
    assert framework.forward(model, images(X_SHAPE)).shape == (2, 10)


def test_parameter_count(framework, model, name):
    counted = sum(p.size for p in framework.parameters(model).values())
    totals = costs.totals(name, X_SHAPE[1:], 10)
    assert counted == totals.num_params


def test_every_parameter_receives_a_gradient(framework, model):
    _, grads = framework.gradients(model, images(X_SHAPE), np.array([3, 7]))
    assert list(grads) == list(framework.parameters(model))
    for parameter, grad in grads.items():
        assert np.isfinite(grad).all(), parameter
        assert np.abs(grad).max() > 0, parameter


def test_compiled_equals_imperative(framework, model):
    X = images(X_SHAPE)
    compiled = framework.forward(model, X)
    assert framework.is_compiled(model)
    np.testing.assert_allclose(
        compiled,
        framework.imperative(model, X),
        rtol=1e-4,
        atol=1e-6,
    )


def test_saved_and_loaded_gives_the_same(framework, model, name, tmp_path):
    X = images(X_SHAPE)
    path = str(tmp_path / 'parameters')
    framework.save(model, path)
    other = framework.build(name, X_SHAPE)
    framework.set_parameters(
        other, [0 * p for p in framework.parameters(other).values()]
    )
    assert not np.array_equal(
        framework.forward(other, X), framework.forward(model, X)
    )
    framework.load(other, path)
    np.testing.assert_array_equal(
        framework.forward(other, X), framework.forward(model, X)
    )


def test_dropout_acts_in_training_only(framework, model):
    X = images(X_SHAPE)
    predicted = [framework.forward(model, X) for _ in range(2)]
    trained = [framework.forward(model, X, train=True) for _ in range(2)]
    np.testing.assert_array_equal(*predicted)
    assert not np.array_equal(*trained)


def test_modes_differ_by_dropout_only(framework, name):
    arch = architectures.get(name)
    if arch.batch_norm:
        pytest.skip('batch norm too differs between the modes')
    model = framework.build(
        dataclasses.replace(arch, hidden=(32,), dropout=0), X_SHAPE
    )
    X = images(X_SHAPE)
    np.testing.assert_allclose(
        framework.forward(model, X),
        framework.forward(model, X, train=True),
        rtol=1e-4,
        atol=1e-6,
    )


def test_batch_norm_predicts_with_running_statistics(framework):
    arch = dataclasses.replace(SMALL, batch_norm=True)
    model = framework.build(arch, X_SHAPE)
    X = 5 + images(X_SHAPE)
    before = framework.forward(model, X)
    for _ in range(200):
        framework.gradients(model, X, np.array([3, 7]))
    after = framework.forward(model, X)
    assert np.abs(after - before).max() > 0.01
    np.testing.assert_allclose(
        after, framework.forward(model, X, train=True), rtol=0.05, atol=0.05
    )


@pytest.mark.parametrize('size', [8, 11])
def test_forward_and_gradients_equal_numpy_in_float64(framework, size):
    shape = (5, 2, size, size)
    X, y = images(shape), np.array([0, 9, 3, 3, 7])
    model = framework.build(SMALL, shape)
    draw = np.random.RandomState(1)
    arrays = [
        draw.uniform(-0.5, 0.5, p.shape).astype('float32')
        for p in framework.parameters(model).values()
    ]
    framework.set_parameters(model, arrays)
    blocks = [block[:2] for block in SMALL.blocks]
    scores, loss, expected = loss_and_gradients(blocks, arrays, X, y)
    assert np.abs(scores).max() > 0.1
    np.testing.assert_allclose(
        framework.forward(model, X), scores, rtol=1e-5, atol=1e-5
    )
    found_loss, grads = framework.gradients(model, X, y)
    assert found_loss == pytest.approx(loss, rel=1e-5)
    assert len(grads) == len(expected)
    for (parameter, grad), right in zip(grads.items(), expected):
        np.testing.assert_allclose(
            grad, right, rtol=1e-5, atol=1e-5, err_msg=parameter
        )


@pytest.mark.parametrize(
    'arch, message',
    [
        ('vgg12', "no architecture 'vgg12'; the nearest is vgg11"),
        ('lenet', 'lenet is not built of VGG blocks: choose one of vgg11'),
        (((0, 16),), 'num_convs of block 1 must be .* not 0$'),
        (((1, 8), (1, -16)), 'num_channels of block 2 must be .* not -16$'),
        ((), "'custom' needs either blocks such as .* but has neither"),
    ],
)
def test_impossible_architectures_are_refused(framework, arch, message):
    with pytest.raises(ValueError, match=message):
        framework.build(arch, X_SHAPE)
