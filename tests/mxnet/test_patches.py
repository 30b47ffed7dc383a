"""Gradients in predict mode, and threads, as MXNet by itself has them not."""

import shlex
import subprocess
import sys
import threading

import numpy as np
import pytest

pytest.importorskip('mxnet')

import mxnet as mx
from frameworks import images
from mxnet import autograd, npx
from mxnet.gluon import SymbolBlock, nn

from d2l_vgg.mxnet.layers import LocalResponseNorm
from d2l_vgg.mxnet.patches import IS_2
from d2l_vgg.mxnet.vgg import vgg_block

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


def differences(value, X, step):
    """Return the same of value(X), by steps up and down for each number."""
    found = np.zeros(X.shape)
    for i in range(X.size):
        for sign in 1, -1:
            Z = X.copy()
            Z.flat[i] += sign * step
            found.flat[i] += sign * value(Z) / (2 * step)
    return found


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
    'lrn': LocalResponseNorm,
    'dropout': lambda: nn.Dropout(0.5),
    'relu': lambda: nn.Activation('relu'),
    'convolution': lambda: nn.Conv2D(4, 3, padding=1),
    'dense': lambda: nn.Dense(5),
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
    X = (draw.permutation(108) / 50 - 1.01).astype('float32')
    X = X.reshape(2, 3, 6, 3)
    weights = draw.randn(*layer(mx.np.array(X)).shape)

    def value(Z):
        with autograd.predict_mode():
            Y = layer(mx.np.array(Z)).asnumpy().astype('float64')
        return (Y * weights).sum()

    expected = differences(value, X, step=0.004)
    for hybridize in (False, True):
        layer.hybridize(hybridize, static_alloc=True, static_shape=True)
        found = gradient(layer, X, False, weights, backward)
        np.testing.assert_allclose(found, expected, rtol=0.01, atol=0.003)


@pytest.mark.filterwarnings('ignore:Cannot decide type:UserWarning')
def test_a_whole_graph_is_refused_where_its_gradient_would_be_wrong(tmp_path):
    net = vgg_block(1, 4)
    net.initialize()
    net.hybridize()
    X = mx.np.array(images((1, 1, 8, 8)))
    expected = net(X).asnumpy()
    name = str(tmp_path / 'net')
    net.export(name)
    read = SymbolBlock.imports(
        f'{name}-symbol.json', ['data'], f'{name}-0000.params'
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


def test_a_thread_may_turn_numpy_arrays_off_for_itself():
    def off():
        npx.reset_np()
        return npx.is_np_array()

    assert new_thread(off) is False
    assert npx.is_np_array()
    # Shapes of no dimension MXNet turns off for every thread to come
    mx.util.set_np_shape(2)
    assert new_thread(lambda: mx.np.ones(()).shape) == ()


ENGINE = """
import os, sys
os.environ.update({chosen!r})
import d2l_vgg.mxnet, mxnet as mx
os.write(2, b'heard') if sys.stderr else None
print(os.environ.get('MXNET_ENGINE_TYPE'), flush=True)
try:
    Y = mx.np.linalg.cholesky(-mx.np.eye(2))  # Which fails
    print('queued', flush=True)
finally:
    os._exit(0)
"""


@pytest.mark.skipif(IS_2, reason='has its engine since it was imported')
@pytest.mark.parametrize(
    'chosen, closed, printed',
    [
        ({}, '', 'None\n'),
        # An operation that fails raises where its result is read
        (
            {'MXNET_ENGINE_TYPE': 'ThreadedEngine'},
            '',
            'ThreadedEngine\nqueued\n',
        ),
        ({}, '2>&-', 'None\nqueued\n'),
    ],
)
def test_mxnet_has_no_queue_unless_chosen(chosen, closed, printed):
    code = shlex.quote(ENGINE.format(chosen=chosen))
    result = subprocess.run(
        f'{sys.executable} -c {code} {closed}',
        shell=True,
        capture_output=True,
        text=True,
    )
    assert result.stdout == printed
    # Where an engine was chosen, MXNet writes its name, too
    assert chosen or result.stderr == ('' if closed else 'heard')
