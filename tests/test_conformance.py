"""What every implementation of every network of the family must fulfil.

The suite runs for each framework of `frameworks.py` that is installed.
"""

import dataclasses
import functools
import importlib

import numpy as np
import pytest
from frameworks import FRAMEWORKS, images
from numpy_vgg import loss_and_gradients

from d2l_vgg import frameworks
from d2l_vgg.networks import architectures, costs, summaries

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


def test_the_summary_agrees_with_the_arithmetic(framework, model, name):
    n, c, h, w = X_SHAPE
    rows = model.rows((n, h, w, c) if framework.channels_last else X_SHAPE)
    totals = costs.totals(name, X_SHAPE[1:], 10)
    assert sum(row.num_params for row in rows) == totals.num_params
    assert summaries.add(rows) == totals.macs
    assert rows[-1].output_shape == (n, 10)


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


@pytest.mark.parametrize('value', [0, -1, 2.5, 'a', None, True, np.nan])
@pytest.mark.parametrize('argument', ['num_classes', 'lr'])
def test_impossible_numbers_are_refused(framework, argument, value):
    VGG = frameworks.load(framework.name).VGG
    if (argument, value) == ('lr', 2.5):
        pytest.skip('that is one')
    with pytest.raises(ValueError, match=f'^{argument} is .*: it must be '):
        VGG('vgg11', **{argument: value})


def test_numpys_numbers_are_as_good(framework):
    VGG = frameworks.load(framework.name).VGG
    model = VGG(SMALL, lr=np.float32(0.5), num_classes=np.int64(3))
    assert (type(model.lr), model.lr) == (float, 0.5)
    assert framework.forward(model, images((2, 1, 8, 8))).shape == (2, 3)


def refusal(framework, model, shape, train=False):
    """Return what images (batch_size, channels, height, width) end in."""
    with pytest.raises(ValueError) as error:
        framework.forward(model, images(shape), train)
    text = str(error.value)
    assert text[-1] == '.' and '\n' not in text
    if len(shape) == 4 and framework.name in ('tensorflow', 'jax'):
        shape = tuple(shape[i] for i in (0, 2, 3, 1))
    assert text.startswith(f'X has the shape {shape}, which ')
    return text.partition(', which ')[2]


# For SMALL with images of one channel and 8 x 8
WRONG = {
    'small': (
        (2, 1, 3, 8),
        'does not fit this network: the smallest images that fit are 4 x 4.',
    ),
    'large': (
        (2, 1, 12, 8),
        'does not fit this network: its dense1 was drawn for 24 numbers of '
        'each image and gets (6, 3, 2); take images of the size that it was '
        'drawn with.',
    ),
    'rgb': (
        (2, 3, 8, 8),
        'does not fit this network: its conv1_1 was drawn for 1 channels, '
        'not 3.',
    ),
    'empty': (
        (0, 1, 8, 8),
        'holds no example: leave such a minibatch out.',
    ),
}


@pytest.mark.parametrize('train', [False, True])
@pytest.mark.parametrize('wrong', WRONG)
def test_images_that_do_not_fit_are_refused(framework, wrong, train):
    model = framework.build(SMALL, (2, 1, 8, 8))
    X = images((2, 1, 8, 8))
    before = framework.forward(model, X)
    shape, text = WRONG[wrong]
    assert refusal(framework, model, shape, train) == text
    np.testing.assert_array_equal(framework.forward(model, X), before)


def test_images_of_another_kind_are_refused(framework):
    model = framework.build(SMALL, (2, 1, 8, 8))
    X = {
        'mxnet': lambda: importlib.import_module('mxnet').np.zeros((2, 64)),
        'torch': lambda: importlib.import_module('torch').zeros(2, 64),
    }.get(framework.name, lambda: np.zeros((2, 64), 'float32'))()
    axes = '(batch_size, num_channels, height, width)'
    if framework.name in ('tensorflow', 'jax'):
        axes = '(batch_size, height, width, num_channels)'
    with pytest.raises(ValueError) as error:
        model(X)
    assert str(error.value) == (
        'X has the shape (2, 64), which does not fit this network: it takes '
        f'{axes}.'
    )


@pytest.mark.parametrize('wrong', WRONG)
def test_what_was_loaded_outlasts_a_refusal(framework, wrong, tmp_path):
    """Also in a network that has not seen an image."""
    path = str(tmp_path / 'parameters')
    trained = framework.build(SMALL, (2, 1, 8, 8))
    framework.save(trained, path)
    model = frameworks.load(framework.name).VGG(SMALL)
    framework.load(model, path)
    shape, text = WRONG[wrong]
    assert refusal(framework, model, shape) == text
    X = images((2, 1, 8, 8))
    np.testing.assert_allclose(
        framework.forward(model, X),
        framework.forward(trained, X),
        rtol=1e-5,
        atol=1e-6,
    )


def test_nothing_is_drawn_for_images_that_are_too_small(framework):
    """So that a run with a seed is not another one after a refusal."""
    model = frameworks.load(framework.name).VGG(SMALL)
    refusal(framework, model, (2, 3, 3, 3))
    with pytest.raises(ValueError, match='before they are drawn'):
        model.arrays()
    assert framework.forward(model, images((2, 1, 8, 8))).shape == (2, 10)


def test_fit_refuses_images_that_do_not_fit(framework):
    package = frameworks.load(framework.name)
    data = package.FashionMNIST(32, num_train=64, num_val=32)
    model = framework.build(SMALL, (2, 1, 8, 8))
    with pytest.raises(ValueError, match='its dense1 was drawn for 24 numb'):
        package.Trainer(1, display='none').fit(model, data)


def test_a_fault_of_the_readers_own_is_shown_as_it_is(framework):
    class Own(frameworks.load(framework.name).VGG):
        def forward(self, X):
            raise ValueError('my own mistake')

    with pytest.raises(ValueError, match='my own mistake'):
        framework.forward(Own(SMALL), images((2, 1, 8, 8)))
