"""Gluon's side of the family: the model zoo agrees, layers, files."""

import dataclasses
import signal
import types

import numpy as np
import pytest

pytest.importorskip('mxnet')

from frameworks import MXNet, images, narrow, needs_bfloat16
from mxnet import np as mnp
from mxnet import npx
from mxnet.gluon import nn
from mxnet.gluon.model_zoo import vision
from numpy_vgg import conv, max_pool
from safetensors.numpy import load_file

from d2l_vgg.mxnet import VGG, Classifier
from d2l_vgg.mxnet.vgg import LocalResponseNorm
from d2l_vgg.networks import architectures

TINY = architectures.Architecture('tiny', ((1, 4),), hidden=(16,))


@pytest.mark.parametrize(
    'name',
    ['vgg11', 'vgg13', 'vgg16', 'vgg19', 'vgg11_bn', 'vgg16_bn'],
)
def test_same_weights_give_the_same_as_in_the_model_zoo(name):
    """Whose class always has 4096 hidden units."""
    arch = dataclasses.replace(narrow(name), hidden=(4096, 4096))
    spec, _, norm = name[3:].partition('_')
    layers, filters = vision.vgg.vgg_spec[int(spec)]
    ours = VGG(arch, num_classes=7)
    zoo = vision.VGG(
        layers, [n // 16 for n in filters], 7, batch_norm=bool(norm)
    )
    zoo.initialize()
    X = mnp.array(images((2, 3, 32, 32)))
    for net in ours, zoo:
        net.collect_params().setattr('grad_req', 'null')
        net(X)
    theirs = list(zoo.collect_params().values())
    params = list(ours.collect_params().values())
    assert len(theirs) == len(params)
    for param, other in zip(params, theirs):
        other.set_data(param.data())
    np.testing.assert_allclose(
        ours(X).asnumpy(), zoo(X).asnumpy(), rtol=1e-4, atol=1e-6
    )


def test_local_response_norm_equals_numpy_in_float64():
    """Activations so large that each of its four constants counts."""
    X = 400 * (images((2, 9, 3, 3)) - 0.5)
    squares = np.pad(
        X.astype('float64') ** 2, ((0, 0), (2, 2), (0, 0), (0, 0))
    )
    # Five channels around each; MXNet divides alpha by so many
    strength = sum(squares[:, i : i + 9] for i in range(5)) / 5
    expected = X / (2 + 1e-4 * strength) ** 0.75
    found = LocalResponseNorm()(mnp.array(X)).asnumpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize('smoothing', [0, 0.1, 0.9])
def test_label_smoothing_is_the_cross_entropy_with_softer_labels(smoothing):
    model = VGG(((1, 4),))
    model.trainer = types.SimpleNamespace(label_smoothing=smoothing)
    plotted = []
    model.plot = lambda key, value, train: plotted.append((key, value, train))
    X, y = images((6, 1, 8, 8)), np.arange(6)
    # No small differences between the scores, as at first
    scores = 9 * images((6, 10), seed=1).astype('float64')
    model.forward = lambda X: mnp.array(scores, dtype='float32')
    loss = model.training_step((mnp.array(X), mnp.array(y)))
    labels = smoothing / 10 + (1 - smoothing) * np.eye(10)[y]
    log_p = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    expected = -(labels * log_p).sum(axis=1).mean()
    assert float(loss) == pytest.approx(expected, rel=1e-6)
    ((key, value, train),) = plotted
    assert (key, float(value), train) == ('loss', float(loss), True)


def to_bfloat16(array):
    """Round to the nearest float32 whose last 16 bits are zero."""
    bits = np.ascontiguousarray(array, dtype='float32').view('uint32')
    # A half, less one where the bit before is zero: ties go to even
    bits = bits + 0x7FFF + (bits >> 16 & 1)
    return (bits & 0xFFFF0000).astype('uint32').view('float32')


@needs_bfloat16
def test_a_bfloat16_block_rounds_what_goes_into_it_and_what_comes_out():
    """Against NumPy: one convolution of rounded numbers, in float64."""
    model = VGG(((1, 16), (1, 32)))
    model(mnp.zeros((1, 1, 16, 16)))
    model.set_precision('bfloat16')
    blk = model.net[1]
    X = images((2, 16, 8, 8)) - 0.5
    Y = blk(mnp.array(X))
    assert Y.dtype == np.float32
    weight = blk[0].weight.data()
    assert weight.dtype == np.float32
    expected = conv(
        to_bfloat16(X).astype('float64'),
        to_bfloat16(weight.asnumpy()).astype('float64'),
        np.zeros(32),
    )
    expected, _ = max_pool(np.maximum(expected, 0))
    # The order of a sum may move it over the middle between two numbers
    np.testing.assert_allclose(Y.asnumpy(), expected, rtol=2**-8, atol=1e-6)
    np.testing.assert_array_equal(Y.asnumpy(), to_bfloat16(Y.asnumpy()))


@needs_bfloat16
def test_parameters_serve_both_precisions(tmp_path):
    path = str(tmp_path / 'vgg.params')
    X = images((16, 1, 32, 32))
    arch = dataclasses.replace(
        architectures.get('vgg11_bn'), hidden=(16,), dropout=0
    )
    model = VGG(arch)
    model.set_precision('bfloat16')
    for _ in range(20):  # Normalization learns its means and variances
        MXNet().forward(model, X, train=True)
    model.save(path)
    other = MXNet().build(arch, X.shape)
    other.load(path)
    expected = MXNet().forward(other, X)
    rounded = MXNet().forward(model, X)
    distance = np.linalg.norm(rounded - expected)
    assert 0 < distance < 0.03 * np.linalg.norm(expected)


def test_another_classs_parameters_keep_their_own_names(tmp_path):
    class Own(Classifier):
        def __init__(self):
            super().__init__()
            self.arch = 'resnet'
            self.net = nn.HybridSequential()
            self.net.add(nn.Dense(3), nn.Dense(10))
            self.net.initialize()

    path = tmp_path / 'parameters.safetensors'
    model, other, X = Own(), Own(), mnp.ones((2, 5))
    model(X)
    model.save(path)
    assert 'net.0.weight' in load_file(path)
    other.load(path)  # Before it has seen an image
    np.testing.assert_array_equal(model(X).asnumpy(), other(X).asnumpy())


def test_a_full_disk_keeps_the_parameters_before(tmp_path):
    """The file system takes no more than so many bytes of a file."""
    resource = pytest.importorskip('resource')
    path = tmp_path / 'parameters.safetensors'
    model = MXNet().build(TINY, (1, 1, 32, 32))
    model.save(path)
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    # The last bytes, too, are written in full or not at all
    for most in len(before) - 1, len(before) // 2, 100:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, limits[1]))
        try:
            with pytest.raises(OSError, match='File too large'):
                model.save(path)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ['parameters.safetensors']


@pytest.mark.slow
def test_parameters_are_whole_while_the_network_still_computes(tmp_path):
    """They are laid out anew meanwhile: read at once, 4 of 60 were not."""
    arch = architectures.Architecture(
        'wide', ((1, 64), (1, 128), (2, 256), (2, 512)), hidden=(32,)
    )
    for _ in range(40):
        model = VGG(arch)
        model.compile()
        model(mnp.zeros((2, 1, 32, 32)))
        found = model.arrays()
        npx.waitall()
        for name, array in model.arrays().items():
            np.testing.assert_array_equal(found[name], array, name)
