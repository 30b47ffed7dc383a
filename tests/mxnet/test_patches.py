"""Gradients in predict mode, and threads, as MXNet by itself has them not."""

import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip('mxnet')

import mxnet as mx
from frameworks import MXNet, images, needs_bfloat16
from mxnet import autograd, npx
from mxnet.gluon import SymbolBlock, nn
from numpy_vgg import loss_and_gradients

from d2l_vgg.mxnet import VGG
from d2l_vgg.mxnet.vgg import LocalResponseNorm, vgg_block
from d2l_vgg.networks import architectures

SHAPE = (2, 1, 32, 32)


def gradient(function, X, train_mode=False, weights=1, backward=True):
    """Return the gradient of sum(function(X) * weights) with respect to X."""
    X = mx.np.array(X)
    X.attach_grad()
    with autograd.record(train_mode=train_mode):
        Y = function(X)
        value = (Y * mx.np.array(weights)).sum()
    value.backward(train_mode=backward)
    return X.grad.asnumpy()


def differences(function, X, weights, step):
    """Return the same by a step up and a step down for each number."""
    found = np.zeros(X.size)
    with autograd.predict_mode():
        for i in range(X.size):
            values = []
            for sign in (1, -1):
                Z = X.copy()
                Z.flat[i] += sign * step
                Y = function(mx.np.array(Z)).asnumpy().astype('float64')
                values.append((Y * weights).sum())
            found[i] = (values[0] - values[1]) / (2 * step)
    return found.reshape(X.shape)


def test_the_largest_of_four_pixels_gets_the_gradient():
    X = np.array([[[[1, 2], [3, 4]]]], dtype='float32')
    expected = [[[[0, 0], [0, 1]]]]
    pool = nn.MaxPool2D(2)
    for hybridize in (False, True):
        pool.hybridize(hybridize, static_alloc=True, static_shape=True)
        np.testing.assert_array_equal(gradient(pool, X), expected)
    options = {'kernel': (2, 2), 'stride': (2, 2), 'pool_type': 'max'}
    for pooling in (mx.npx.pooling, mx.nd.npx.pooling):
        found = gradient(lambda X, f=pooling: f(X, **options), X)
        np.testing.assert_array_equal(found, expected)
    old = mx.nd.array(X)
    old.attach_grad()
    with autograd.record(train_mode=False):
        Y = mx.nd.Pooling(old, **options)
    Y.backward()
    np.testing.assert_array_equal(old.grad.asnumpy(), expected)
    X = mx.np.array(X)
    X.attach_grad()
    with autograd.record(train_mode=False):
        Y = pool(X)
    (found,) = autograd.grad(Y, [X], train_mode=False)
    np.testing.assert_array_equal(found.asnumpy(), expected)


def normalization():
    layer = nn.BatchNorm()
    layer.initialize()
    layer(mx.np.zeros((1, 3, 1, 1)))
    layer.running_mean.set_data(mx.np.array([0.5, -0.5, 0]))
    layer.running_var.set_data(mx.np.array([0.5, 2, 1]))
    layer.gamma.set_data(mx.np.array([1, 2, 3]))
    return layer


LAYERS = {
    'max': lambda: nn.MaxPool2D(2),
    'max overlapping': lambda: nn.MaxPool2D(3, 2, 1),
    'max to the edge': lambda: nn.MaxPool2D(3, 2, ceil_mode=True),
    'max of all': nn.GlobalMaxPool2D,
    'average': lambda: nn.AvgPool2D(3, 2, 1),
    'average of all': nn.GlobalAvgPool2D,
    'batch norm': normalization,
    'layer norm': nn.LayerNorm,
    'lrn': LocalResponseNorm,
    'dropout': lambda: nn.Dropout(0.5),
    'relu': lambda: nn.Activation('relu'),
    'sigmoid': lambda: nn.Activation('sigmoid'),
    'gelu': nn.GELU,
    'convolution': lambda: nn.Conv2D(4, 3, padding=1),
    'transposed': lambda: nn.Conv2DTranspose(4, 3, 2),
    'dense': lambda: nn.Dense(5),
    'softmax': lambda: nn.HybridLambda(lambda F, X: F.npx.softmax(X, axis=1)),
    'log-softmax': lambda: nn.HybridLambda(
        lambda F, X: F.npx.log_softmax(X, axis=1)
    ),
}


@pytest.mark.parametrize('backward', [True, False])
@pytest.mark.parametrize('name', LAYERS)
def test_each_operation_has_the_gradient_of_what_it_computes(name, backward):
    """Whichever mode `backward` is in: by itself it is in train mode."""
    layer = LAYERS[name]()
    if name != 'batch norm':
        layer.initialize()
    # Not two numbers near each other, of which one step changes the order
    draw = np.random.RandomState(0)
    X = (
        draw.permutation(108).reshape(2, 3, 6, 3).astype('float32') / 50
        - 1.01
    )
    weights = draw.randn(*layer(mx.np.array(X)).shape)
    expected = differences(layer, X, weights, step=0.004)
    for hybridize in (False, True):
        layer.hybridize(hybridize, static_alloc=True, static_shape=True)
        found = gradient(layer, X, False, weights, backward)
        np.testing.assert_allclose(found, expected, rtol=0.01, atol=0.003)


def folded(model, arch):
    """Return the network without normalization that computes the same.

    In predict mode it is a line, which the convolution before can take up.
    """
    other = MXNet().build(
        dataclasses.replace(arch, batch_norm=False, dropout=0), SHAPE
    )
    params = []
    for block in model.net[: len(arch.blocks)]:
        for conv, norm in zip(block, list(block)[1:]):
            if isinstance(norm, nn.BatchNorm):
                std = mx.np.sqrt(norm.running_var.data() + 1e-5)
                scale = norm.gamma.data() / std
                params.append(conv.weight.data() * scale.reshape(-1, 1, 1, 1))
                shift = conv.bias.data() - norm.running_mean.data()
                params.append(shift * scale + norm.beta.data())
    for layer in model.net[len(arch.blocks) :]:
        if isinstance(layer, nn.Dense):
            params += [layer.weight.data(), layer.bias.data()]
    MXNet().set_parameters(other, [p.asnumpy() for p in params])
    return other


@pytest.mark.parametrize('name', architectures.VGG_NAMES)
def test_a_saliency_map_is_that_of_train_mode_without_dropout(name):
    arch = dataclasses.replace(architectures.get(name), hidden=(32,))
    model = MXNet().build(arch, SHAPE)
    X = images(SHAPE)
    if arch.batch_norm:
        for _ in range(3):  # Statistics that are not those of the start
            MXNet().gradients(model, X, np.array([3, 7]))
        other = folded(model, arch)
    else:
        other = MXNet().build(dataclasses.replace(arch, dropout=0), SHAPE)
        params = list(MXNet().parameters(model).values())
        MXNet().set_parameters(other, params)
    weights = np.random.RandomState(1).randn(2, 10)
    expected = gradient(other, X, True, weights)
    size = np.linalg.norm(expected)
    assert size > 0
    for _compiled in (True, False):
        graph = model.net._cached_op
        found = gradient(model, X, False, weights)
        # A ReLU or two may see a zero from the other side
        assert np.linalg.norm(found - expected) < 0.03 * size
        # The graph for training is still there
        assert model.net._cached_op is graph
        model.net.hybridize(False)


def test_a_saliency_map_equals_numpy_in_float64():
    blocks = ((1, 4), (2, 6))
    shape = (3, 2, 8, 8)
    model = MXNet().build(
        architectures.Architecture('tiny', blocks, hidden=(16,), dropout=0.5),
        shape,
    )
    X, y = images(shape), np.array([1, 0, 7])
    params = list(MXNet().parameters(model).values())

    def loss(X):
        return loss_and_gradients(blocks, params, X, y)[1]

    expected = np.zeros(X.size)
    for i in range(X.size):
        step = np.zeros(X.size)
        step[i] = 1e-6
        step = step.reshape(shape)
        X64 = X.astype('float64')
        expected[i] = (loss(X64 + step) - loss(X64 - step)) / 2e-6
    found = gradient(lambda X: model.loss(model(X), mx.np.array(y)), X)
    np.testing.assert_allclose(
        found, expected.reshape(shape), rtol=1e-3, atol=1e-7
    )


@needs_bfloat16
def test_a_saliency_map_in_bfloat16_is_nearly_that_in_float32():
    arch = architectures.Architecture('tiny', ((1, 8), (1, 8)), hidden=(16,))
    model = MXNet().build(arch, SHAPE)
    expected = gradient(model, images(SHAPE), weights=np.eye(2, 10))
    model.set_precision('bfloat16')
    model.compile()
    found = gradient(model, images(SHAPE), weights=np.eye(2, 10))
    distance = np.linalg.norm(found - expected)
    assert 0 < distance < 0.2 * np.linalg.norm(expected)


@pytest.mark.filterwarnings('ignore:Cannot decide type:UserWarning')
def test_a_whole_graph_is_refused_where_its_gradient_would_be_wrong(tmp_path):
    net = vgg_block(1, 4)
    net.initialize()
    net.hybridize()
    X = mx.np.array(images((1, 1, 8, 8)))
    expected = net(X).asnumpy()
    net.export(str(tmp_path / 'net'))
    read = SymbolBlock.imports(
        str(tmp_path / 'net-symbol.json'),
        ['data'],
        str(tmp_path / 'net-0000.params'),
    )
    np.testing.assert_array_equal(read(X).asnumpy(), expected)
    assert gradient(read, X, train_mode=True).any()
    with pytest.raises(ValueError, match='build it of layers'):
        gradient(read, X)


# ------------------------------------------------- threads


def new_thread(function):
    found = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


def pool(function):
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(function).result()


@pytest.mark.parametrize('run', [new_thread, pool])
def test_the_first_forward_may_be_in_another_thread(run):
    model = VGG(((1, 4), (1, 8)))
    X = mx.np.array(images((2, 1, 8, 8)))
    Y = run(lambda: model(X))
    assert isinstance(Y, mx.np.ndarray)
    np.testing.assert_array_equal(Y.asnumpy(), model(X).asnumpy())
    assert run(lambda: mx.np.ones(()).shape) == ()


def test_a_thread_may_turn_numpy_arrays_off_for_itself():
    def off():
        npx.reset_np()
        return npx.is_np_array()

    assert new_thread(off) is False
    assert npx.is_np_array()
    # Shapes of no dimension MXNet turns off for every thread to come
    mx.util.set_np_shape(2)
    assert new_thread(lambda: mx.np.ones(()).shape) == ()
