"""Keras's side of the family: its layers, its files, its summary."""

import dataclasses
import types

import numpy as np
import pytest

pytest.importorskip('tensorflow')

import keras
import tensorflow as tf
from frameworks import TensorFlow, images, needs_bfloat16
from keras import layers
from numpy_vgg import conv, max_pool

from d2l_vgg.networks import architectures, costs, names
from d2l_vgg.tensorflow import VGG, Classifier, vgg_block
from d2l_vgg.tensorflow.vgg import LocalResponseNorm

BOOK = ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))
SMALL = dataclasses.replace(
    architectures.get('vgg11_bn'), hidden=(8,), dropout=0
)


def nhwc(*shape, seed=0):
    return images(shape, seed)


def test_summary_prints_the_lines_of_the_book(capsys):
    VGG(BOOK).layer_summary((1, 224, 224, 1))
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split() == ['parameters', 'mult-adds']
    assert lines[1].split() == (
        ['Sequential', 'output', 'shape:', '(1,', '56,', '56,', '128)']
        + ['73856', '924844032']
    )
    assert [line.split()[0] for line in lines] == (
        ['Sequential'] * 5
        + ['Flatten', 'Dense', 'Dropout', 'Dense', 'Dropout', 'Dense']
        + ['Total']
    )
    assert lines[-1].split() == ['Total', '128806154', '7547232256']
    assert all(len(line) <= 71 for line in lines)


@pytest.mark.parametrize('name', ['vgg11_lrn', 'vgg16_1x1', 'vgg13_bn'])
def test_the_layers_agree_with_the_arithmetic(name, capsys):
    VGG(name).layer_summary((2, 32, 48, 3), details=True)
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    found = {line[0]: line for line in printed}
    for row in costs.summary(name, (3, 32, 48)):
        if len(row.output_shape) == 3:
            channels, height, width = row.output_shape
            text = f'{(2, height, width, channels)} {row.num_params}'
            assert ' '.join(found[row.name]).endswith(f'{text} {row.macs}')
    totals = costs.totals(name, (3, 32, 48))
    assert found['Total'][1:] == [str(totals.num_params), str(totals.macs)]


def test_summary_leaves_the_network_compiled_and_unchanged():
    model = TensorFlow().build(SMALL, (2, 1, 32, 32))
    X = images((2, 1, 32, 32))
    before = TensorFlow().forward(model, X)
    model.layer_summary((1, 32, 32, 1))
    np.testing.assert_array_equal(before, TensorFlow().forward(model, X))


def test_a_model_without_layers_has_no_summary():
    class Scratch(Classifier):
        def forward(self, X):
            return X

    with pytest.raises(ValueError, match='Scratch calls no layers of Keras'):
        Scratch().layer_summary((1, 8, 8, 1))


def test_xavier_initialization():
    """Uniform with the bound of Glorot and Bengio (2010)."""
    model = TensorFlow().build(((1, 16), (1, 32)), (1, 1, 32, 32))
    arrays = model.arrays()
    weight = arrays['conv2_1.weight']
    assert weight.shape == (32, 16, 3, 3)
    bound = np.sqrt(6 / (9 * (16 + 32)))
    assert 0.97 * bound < np.abs(weight).max() <= bound
    assert abs(weight.std() - bound / np.sqrt(3)) < 0.03 * bound
    for name, array in arrays.items():
        assert not name.endswith('bias') or not array.any(), name


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


def test_flipped_test_scores_are_those_that_are_recorded_and_predicted():
    model = TensorFlow().build(((1, 4), (1, 8)), (32, 1, 8, 8))
    X, y = nhwc(32, 8, 8, 1), np.arange(32) % 10
    scores = model.test_scores(X, flip=True)
    both = [model(Z).numpy() for Z in (X, X[:, :, ::-1])]
    np.testing.assert_allclose(scores, np.mean(both, axis=0), rtol=1e-5)
    assert np.abs(scores - both[0]).max() > 0.01 * np.abs(both[0]).max()
    model.trainer = types.SimpleNamespace(test_flip=True)
    plotted = {}
    model.plot = lambda key, value, train: plotted.update({key: value})
    model.validation_step((X, y))
    labels, found = model.predict([(X, y)], test_flip=True)
    np.testing.assert_array_equal(labels, y)
    log_p = np.log(found[np.arange(32), labels])
    assert float(plotted['loss']) == pytest.approx(-log_p.mean(), rel=1e-5)
    right = found.argmax(axis=1) == labels
    assert float(plotted['acc']) == pytest.approx(right.mean())


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


@needs_bfloat16
@pytest.mark.parametrize('name', ['vgg_small', 'vgg11_bn', 'A-LRN'])
def test_bfloat16_trains_nearly_as_float32_does(name):
    arch = dataclasses.replace(architectures.get(name), dropout=0)
    X, y = images((8, 1, 32, 32)), np.arange(8)
    one = TensorFlow().build(arch, X.shape)
    other = TensorFlow().build(arch, X.shape)
    other.load_arrays(one.arrays())
    other.set_precision('bfloat16')
    other.compile()
    loss, grads = TensorFlow().gradients(one, X, y)
    rounded_loss, rounded = TensorFlow().gradients(other, X, y)
    assert rounded_loss == pytest.approx(loss, rel=0.01)
    for key, grad in grads.items():
        assert rounded[key].dtype == np.float32
        if key.endswith('bias') and arch.batch_norm:
            continue  # Normalization takes the bias out: the gradient is 0
        distance = np.linalg.norm(rounded[key] - grad)
        assert 0 < distance < 0.4 * np.linalg.norm(grad), key


def test_a_network_of_one_block_has_nothing_to_round():
    with pytest.raises(ValueError, match="'bfloat16', but .* no second"):
        VGG(((1, 4),)).set_precision('bfloat16')


# ------------------------------------------------- files


def test_parameters_have_the_names_and_the_layout_of_all(tmp_path):
    """Outputs first, channels first, whatever was flattened."""
    path = tmp_path / 'parameters.npz'
    arch = ((1, 4), (1, 6))
    model = TensorFlow().build(arch, (1, 2, 8, 12))
    assert len(model.save(path)) == 64
    with np.load(path, allow_pickle=False) as file:
        arrays = {n: file[n] for n in names.parameter_names(arch)}
        assert len(file.files) == len(arrays) + 2
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


@pytest.mark.parametrize('name', ['vgg11_bn', 'A-LRN'])
def test_parameters_load_before_the_first_image(name, tmp_path):
    path = tmp_path / 'parameters.npz'
    arch = dataclasses.replace(architectures.get(name), hidden=(8,))
    model = TensorFlow().build(arch, (2, 1, 32, 48))
    model.save(path)
    other = VGG(arch)
    other.load(path)
    again = tmp_path / 'again.npz'
    other.save(again)  # Before it has seen an image, either
    assert path.read_bytes() == again.read_bytes()
    X = images((2, 1, 32, 48))
    np.testing.assert_array_equal(
        TensorFlow().forward(model, X), TensorFlow().forward(other, X)
    )


def test_parameters_for_images_of_another_size_are_refused(tmp_path):
    path = tmp_path / 'parameters.npz'
    TensorFlow().build(SMALL, (1, 1, 32, 32)).save(path)
    other = VGG(SMALL)
    other.load(path)
    with pytest.raises(ValueError, match='dense1 was drawn for .* numbers'):
        other(nhwc(1, 64, 64, 1))


@pytest.mark.parametrize('other', [((1, 8),), ((2, 4),), ((1, 4), (1, 4))])
@pytest.mark.parametrize('drawn', [True, False])
def test_parameters_of_another_network_change_nothing(other, drawn, tmp_path):
    path = tmp_path / 'parameters.npz'
    TensorFlow().build(((1, 4),), (1, 1, 8, 8)).save(path)
    model = VGG(other)
    if drawn:
        model(nhwc(1, 8, 8, 1))
        before = model.arrays()
    with pytest.raises(ValueError, match='are of another network: '):
        model.load(path)
    model(nhwc(1, 8, 8, 1))
    if drawn:
        for name, array in model.arrays().items():
            np.testing.assert_array_equal(array, before[name])


def test_what_is_not_drawn_cannot_be_saved(tmp_path):
    model = VGG(((1, 4),))
    with pytest.raises(ValueError, match='before they are drawn'):
        model.save(tmp_path / 'parameters.npz')
    assert not list(tmp_path.iterdir())
    # All but the last layer is known
    path = tmp_path / 'parameters.npz'
    TensorFlow().build(((1, 4),), (1, 1, 8, 8)).save(path)
    model = VGG(((1, 4),), num_classes=3)
    model.load(path, last=False)
    with pytest.raises(ValueError, match='before they are drawn'):
        model.save(tmp_path / 'other.npz')
    assert model(nhwc(1, 8, 8, 1)).shape == (1, 3)
    with np.load(path) as file:
        found = model.arrays()
        np.testing.assert_array_equal(
            found['dense1.weight'], file['dense1.weight']
        )


class Own(Classifier):
    """Not of the family, whatever its `arch` says."""

    def __init__(self):
        super().__init__()
        self.arch = 'resnet'
        self.net = keras.Sequential(
            [vgg_block(1, 4), layers.Flatten(), layers.Dense(10)]
        )


def test_another_classs_parameters_keep_their_layout(tmp_path):
    path = tmp_path / 'parameters.npz'
    model, other, X = Own(), Own(), nhwc(2, 8, 8, 1)
    model(X)
    model.save(path)
    with np.load(path) as file:
        assert file['parameter0'].shape == (3, 3, 1, 4)
    other(X)
    other.load(path)
    np.testing.assert_array_equal(model(X), other(X))
    with pytest.raises(ValueError, match='there is no architecture'):
        Own().load(path)
