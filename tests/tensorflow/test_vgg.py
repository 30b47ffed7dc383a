"""Keras's side of the family: its layers, its files, its summary."""

import dataclasses
import types

import numpy as np
import pytest

pytest.importorskip('tensorflow')

import keras
import tensorflow as tf
from frameworks import TensorFlow, images, narrow, needs_bfloat16
from keras import layers
from numpy_vgg import conv, max_pool
from safetensors.numpy import load_file

from d2l_vgg.networks import architectures, costs, names
from d2l_vgg.tensorflow import VGG, Classifier, vgg_block
from d2l_vgg.tensorflow.vgg import LocalResponseNorm

SMALL = dataclasses.replace(
    architectures.get('vgg11_bn'), hidden=(8,), dropout=0
)


def nhwc(*shape, seed=0):
    return images(shape, seed)


@pytest.mark.parametrize('name', ['vgg11_lrn', 'vgg16_1x1', 'vgg13_bn'])
def test_the_layers_agree_with_the_arithmetic(name, capsys):
    arch = narrow(name)
    VGG(arch).layer_summary((2, 32, 48, 3), details=True)
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    found = {line[0]: line for line in printed}
    for row in costs.summary(arch, (3, 32, 48)):
        if len(row.output_shape) == 3:
            channels, height, width = row.output_shape
            text = f'{(2, height, width, channels)} {row.num_params}'
            assert ' '.join(found[row.name]).endswith(f'{text} {row.macs}')
    totals = costs.totals(arch, (3, 32, 48))
    assert found['Total'][1:] == [str(totals.num_params), str(totals.macs)]


def test_keras_own_seed_gives_the_parameters():
    drawn = []
    for seed in 1, 1, 2:
        keras.utils.set_random_seed(seed)
        model = VGG(((1, 4),))
        model(nhwc(1, 8, 8, 1))
        drawn.append(model.arrays()['conv1_1.weight'])
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


def test_local_response_norm_equals_numpy_in_float64():
    """Activations so large that each of its four constants counts."""
    X = 400 * (nhwc(2, 3, 3, 9) - 0.5)
    squares = np.pad(X.astype('float64') ** 2, [(0, 0)] * 3 + [(2, 2)])
    strength = sum(squares[..., i : i + 9] for i in range(5)) / 5
    expected = X / (2 + 1e-4 * strength) ** 0.75
    found = LocalResponseNorm()(X).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_running_statistics_keep_nine_tenths_and_are_biased():
    model = TensorFlow().build(SMALL, (2, 1, 32, 32))
    norm = model.net.layers[0].layers[1]
    X = 3 * nhwc(4, 5, 5, 64) + 1
    Y = norm(X, training=True).numpy()
    mean, variance = (
        f(X.astype('float64'), (0, 1, 2)) for f in (np.mean, np.var)
    )
    np.testing.assert_allclose(
        Y, (X - mean) / np.sqrt(variance + 1e-5), rtol=1e-3, atol=1e-5
    )
    np.testing.assert_allclose(norm.moving_mean, 0.1 * mean, rtol=1e-5)
    np.testing.assert_allclose(
        norm.moving_variance, 0.9 + 0.1 * variance, rtol=1e-5
    )


@pytest.mark.parametrize('smoothing', [0, 0.1, 0.9])
def test_label_smoothing_is_the_cross_entropy_with_softer_labels(smoothing):
    model = VGG(((1, 4),))
    model.trainer = types.SimpleNamespace(label_smoothing=smoothing)
    plotted = []
    model.plot = lambda key, value, train: plotted.append((key, value, train))
    scores = 9 * images((6, 10), seed=1).astype('float64')
    model.forward = lambda X: tf.constant(scores, 'float32')
    y = np.arange(6)
    loss = model.training_step((nhwc(6, 8, 8, 1), y))
    labels = smoothing / 10 + (1 - smoothing) * np.eye(10)[y]
    log_p = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    expected = -(labels * log_p).sum(axis=1).mean()
    assert float(loss) == pytest.approx(expected, rel=1e-6)
    assert plotted == [('loss', loss, True)]


def to_bfloat16(array):
    return tf.cast(tf.cast(array, 'bfloat16'), 'float32').numpy()


@needs_bfloat16
def test_a_bfloat16_block_rounds_what_goes_into_it_and_what_comes_out():
    """Against NumPy: one convolution of rounded numbers, in float64."""
    model = VGG(((1, 16), (1, 32)))
    model(nhwc(1, 16, 16, 1))
    model.set_precision('bfloat16')
    blk = model.net.layers[1]
    X = images((2, 16, 8, 8)) - 0.5
    Y = tf.cast(blk(X.transpose(0, 2, 3, 1)), 'float32').numpy()
    kernel = model.arrays()['conv2_1.weight']
    assert kernel.dtype == np.float32
    expected = conv(
        to_bfloat16(X).astype('float64'),
        to_bfloat16(kernel).astype('float64'),
        np.zeros(32),
    )
    expected, _ = max_pool(np.maximum(expected, 0))
    # The order of a sum may move it over the middle between two numbers
    np.testing.assert_allclose(
        Y.transpose(0, 3, 1, 2), expected, rtol=2**-7, atol=1e-6
    )
    assert blk(nhwc(1, 8, 8, 16)).dtype == 'bfloat16'
    assert model(nhwc(1, 16, 16, 1)).dtype == 'float32'
    model.set_precision('float32')
    assert blk(nhwc(1, 8, 8, 16)).dtype == 'float32'


# ------------------------------------------------- files


def test_parameters_have_the_names_and_the_layout_of_all(tmp_path):
    """Outputs first, channels first, whatever was flattened."""
    path = tmp_path / 'parameters.safetensors'
    arch = ((1, 4), (1, 6))
    model = TensorFlow().build(arch, (1, 2, 8, 12))
    assert len(model.save(path)) == 64
    arrays = load_file(path)
    assert set(arrays) == set(names.parameter_names(arch))
    block, _, flatten, dense = model.net.layers[:4]
    assert isinstance(flatten, layers.Flatten)
    kernel = block.layers[0].kernel.numpy()
    for o, i, h, w in np.ndindex(4, 2, 3, 3):
        assert arrays['conv1_1.weight'][o, i, h, w] == kernel[h, w, i, o]
    kernel = dense.kernel.numpy()
    # Channels, height and width of the last feature map: 6, 2 and 3
    weight = arrays['dense1.weight'].reshape(-1, 6, 2, 3)
    places = kernel.reshape(2, 3, 6, -1)
    for c, h, w in np.ndindex(6, 2, 3):
        np.testing.assert_array_equal(weight[:, c, h, w], places[h, w, c])


class Own(Classifier):
    """Not of the family, whatever its `arch` says."""

    def __init__(self):
        super().__init__()
        self.arch = 'resnet'
        self.net = keras.Sequential(
            [vgg_block(1, 4), layers.Flatten(), layers.Dense(10)]
        )


def test_another_classs_parameters_keep_their_layout(tmp_path):
    path = tmp_path / 'parameters.safetensors'
    model, other, X = Own(), Own(), nhwc(2, 8, 8, 1)
    model(X)
    model.save(path)
    assert load_file(path)['parameter0'].shape == (3, 3, 1, 4)
    other(X)
    other.load(path)
    np.testing.assert_array_equal(model(X), other(X))
    with pytest.raises(ValueError, match='there is no architecture'):
        Own().load(path)
