"""Gluon's side of the family: the model zoo agrees, the summary is right."""

import dataclasses
import re
import signal
import types

import numpy as np
import pytest

pytest.importorskip('mxnet')

from frameworks import MXNet, images, needs_bfloat16
from mxnet import np as mnp
from mxnet import npx
from mxnet.gluon import nn
from mxnet.gluon.model_zoo import vision
from numpy_vgg import conv, max_pool

from d2l_vgg.mxnet import VGG, Classifier
from d2l_vgg.mxnet.vgg import LocalResponseNorm
from d2l_vgg.networks import architectures

BOOK = ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))


@pytest.mark.parametrize(
    'name',
    ['vgg11', 'vgg13', 'vgg16', 'vgg19', 'vgg11_bn', 'vgg16_bn'],
)
def test_same_weights_give_the_same_as_in_the_model_zoo(name):
    X = images((2, 3, 32, 32))
    ours = MXNet().build(name, X.shape, num_classes=7)
    zoo = getattr(vision, name)(classes=7)
    zoo.initialize()
    zoo(mnp.array(X))
    theirs = list(zoo.collect_params().values())
    params = list(ours.collect_params().values())
    assert len(theirs) == len(params)
    for param, other in zip(params, theirs):
        other.set_data(param.data())
    np.testing.assert_allclose(
        ours(mnp.array(X)).asnumpy(),
        zoo(mnp.array(X)).asnumpy(),
        rtol=1e-4,
        atol=1e-6,
    )


def test_a_name_builds_what_the_tuple_of_the_book_builds():
    by_name, by_tuple = VGG('vgg11'), VGG(BOOK)
    assert by_name.arch == by_tuple.arch


def test_summary_prints_the_lines_of_the_book(capsys):
    VGG(BOOK).layer_summary((1, 1, 224, 224))
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split() == ['parameters', 'mult-adds']
    shapes = [re.search(r'shape: (\(.*\))', line)[1] for line in lines[:-1]]
    # As printed in the book, https://d2l.ai/chapter_convolutional-modern
    assert shapes == [
        '(1, 64, 112, 112)',
        '(1, 128, 56, 56)',
        '(1, 256, 28, 28)',
        '(1, 512, 14, 14)',
        '(1, 512, 7, 7)',
        '(1, 4096)',
        '(1, 4096)',
        '(1, 4096)',
        '(1, 4096)',
        '(1, 10)',
    ]
    assert lines[0].startswith('HybridSequential output shape: ')
    assert lines[5].startswith('Dense output shape: ')
    assert lines[1].endswith(' 73856   924844032')
    assert lines[-1].split() == ['Total', '128806154', '7547232256']
    # The width of a code cell on the page
    assert all(len(line) <= 71 for line in lines)


def test_detailed_summary_shows_all_eleven_layers(capsys):
    VGG(BOOK).layer_summary((1, 1, 32, 32), details=True)
    lines = capsys.readouterr().out.splitlines()
    layers = [
        line
        for line in lines
        if line.strip().startswith(('conv', 'Dense output'))
    ]
    assert len(layers) == 11


def test_summary_leaves_the_network_compiled_and_unchanged():
    model = MXNet().build('vgg_small', (2, 1, 32, 32))
    X = images((2, 1, 32, 32))
    before = MXNet().forward(model, X)
    model.layer_summary((1, 1, 32, 32))
    np.testing.assert_array_equal(before, MXNet().forward(model, X))


def test_too_small_an_image_is_refused_by_the_summary():
    with pytest.raises(ValueError, match='32 x 32'):
        VGG('vgg11').layer_summary((1, 1, 28, 28))


def test_xavier_initialization():
    """Uniform with the bound of Glorot and Bengio (2010)."""
    model = MXNet().build(((1, 16), (1, 32)), (1, 1, 32, 32))
    weight = MXNet().parameters(model)['net.1.0.weight']
    bound = np.sqrt(6 / (9 * (16 + 32)))
    assert 0.97 * bound < np.abs(weight).max() <= bound
    assert abs(weight.std() - bound / np.sqrt(3)) < 0.03 * bound


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


def test_flipped_test_scores_are_the_mean_over_both_images():
    model = MXNet().build(((1, 4), (1, 8)), (3, 1, 8, 8))
    X = images((3, 1, 8, 8))
    plain = model.test_scores(mnp.array(X)).asnumpy()
    np.testing.assert_array_equal(plain, model(mnp.array(X)).asnumpy())
    both = [MXNet().imperative(model, Z) for Z in (X, X[..., ::-1])]
    flipped = model.test_scores(mnp.array(X), flip=True).asnumpy()
    np.testing.assert_allclose(flipped, np.mean(both, axis=0), rtol=1e-5)
    assert np.abs(flipped - plain).max() > 0.01 * np.abs(plain).max()
    # A mirrored image is judged as the image itself
    mirrored = model.test_scores(mnp.array(X[..., ::-1]), flip=True).asnumpy()
    np.testing.assert_allclose(mirrored, flipped, rtol=1e-5, atol=1e-6)


def test_flipped_test_scores_are_those_that_are_recorded_and_predicted():
    model = MXNet().build(((1, 4), (1, 8)), (32, 1, 8, 8))
    model.trainer = types.SimpleNamespace(test_flip=True)
    X, y = mnp.array(images((32, 1, 8, 8))), mnp.array(np.arange(32) % 10)
    plotted = {}
    model.plot = lambda key, value, train: plotted.update({key: value})
    model.validation_step((X, y))
    labels, scores = model.predict([(X, y)], test_flip=True)
    log_p = np.log(scores[np.arange(32), labels])
    assert float(plotted['loss']) == pytest.approx(-log_p.mean(), rel=1e-5)
    right = scores.argmax(axis=1) == labels
    assert float(plotted['acc']) == pytest.approx(right.mean())


def test_predicting_compiles_the_network():
    """One that was only read from a file, as `d2l-vgg predict` does."""
    model = VGG(((1, 4), (1, 8)))
    model(mnp.zeros((1, 1, 8, 8)))
    assert not MXNet().is_compiled(model)
    model.predict([(mnp.zeros((2, 1, 8, 8)), mnp.zeros(2))])
    assert MXNet().is_compiled(model)


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
@pytest.mark.parametrize('name', ['vgg_small', 'vgg11_bn', 'A-LRN'])
def test_bfloat16_trains_nearly_as_float32_does(name):
    arch = dataclasses.replace(architectures.get(name), dropout=0)
    X, y = images((8, 1, 32, 32)), np.arange(8)
    one = MXNet().build(arch, X.shape)
    other = VGG(arch)
    other.set_precision('bfloat16')
    assert other(mnp.array(X)).dtype == np.float32
    MXNet().set_parameters(other, list(MXNet().parameters(one).values()))
    loss, grads = MXNet().gradients(one, X, y)
    rounded_loss, rounded = MXNet().gradients(other, X, y)
    assert rounded_loss == pytest.approx(loss, rel=0.01)
    assert list(rounded) == list(grads)
    for key, grad in grads.items():
        assert rounded[key].dtype == np.float32
        if key.endswith('bias') and arch.batch_norm:
            continue  # Normalization takes the bias out: the gradient is 0
        # Where two neighbours round to one number, pooling may pass the
        # gradient on to the other
        distance = np.linalg.norm(rounded[key] - grad)
        assert 0 < distance < 0.4 * np.linalg.norm(grad), key


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


def test_a_network_of_one_block_has_nothing_to_round():
    with pytest.raises(ValueError, match="'bfloat16', but .* no second"):
        VGG(((1, 4),)).set_precision('bfloat16')


def arrays_of(model):
    params = model._collect_params_with_prefix().items()
    return {name: param.data().asnumpy() for name, param in params}


@pytest.mark.parametrize(
    'other',
    [((1, 8),), ((2, 4),), ((1, 4), (1, 4)), 'vgg11'],
    ids=['channels', 'convolutions', 'blocks', 'name'],
)
def test_parameters_of_another_network_change_nothing(other, tmp_path):
    path = tmp_path / 'parameters.npz'
    MXNet().build(((1, 4),), (1, 1, 32, 32)).save(path)
    model = MXNet().build(other, (1, 1, 32, 32))
    before = arrays_of(model)
    with pytest.raises(ValueError, match='are of another network: '):
        model.load(path)
    after = arrays_of(model)
    for name in before:
        np.testing.assert_array_equal(before[name], after[name])


def test_damaged_parameters_change_nothing(tmp_path):
    path = tmp_path / 'parameters.npz'
    model = MXNet().build(((1, 4),), (1, 1, 8, 8))
    model.save(path)
    content = path.read_bytes()
    before = arrays_of(model)
    flip = bytearray(content)
    flip[len(flip) // 2] ^= 1
    for damaged in content[:-100], bytes(flip), b'', b'PK', b'once upon':
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match='damaged'):
            model.load(path)
    for name, array in arrays_of(model).items():
        np.testing.assert_array_equal(before[name], array)


def test_parameters_have_the_same_names_everywhere(tmp_path):
    path = tmp_path / 'parameters.npz'
    arch = dataclasses.replace(
        architectures.get('vgg11_bn'), hidden=(8,), dropout=0
    )
    model = MXNet().build(arch, (1, 1, 32, 32))
    digest = model.save(path)
    assert len(digest) == 64
    own = model._collect_params_with_prefix()
    with np.load(path, allow_pickle=False) as file:
        names = set(file.files)
        for name, mine in (
            ('conv1_1.weight', 'net.0.0.weight'),
            ('norm1_1.weight', 'net.0.1.gamma'),
            ('norm1_1.bias', 'net.0.1.beta'),
            ('norm1_1.running_mean', 'net.0.1.running_mean'),
            ('norm1_1.running_var', 'net.0.1.running_var'),
            ('conv5_2.bias', 'net.4.3.bias'),
            ('dense1.weight', 'net.5.weight'),
            ('dense2.bias', 'net.6.bias'),
        ):
            np.testing.assert_array_equal(
                file[name], own[mine].data().asnumpy(), name
            )
    assert len(names) == len(own) + 2


def test_another_classs_parameters_keep_their_own_names(tmp_path):
    class Own(Classifier):
        def __init__(self):
            super().__init__()
            self.arch = 'resnet'
            self.net = nn.HybridSequential()
            self.net.add(nn.Dense(3), nn.Dense(10))
            self.net.initialize()

    path = tmp_path / 'parameters.npz'
    model, other, X = Own(), Own(), mnp.ones((2, 5))
    model(X)
    model.save(path)
    with np.load(path) as file:
        assert 'net.0.weight' in file.files
    other.load(path)  # Before it has seen an image
    np.testing.assert_array_equal(model(X).asnumpy(), other(X).asnumpy())


def test_what_is_not_drawn_cannot_be_saved(tmp_path):
    with pytest.raises(ValueError, match='before they are drawn'):
        VGG(((1, 4),)).save(tmp_path / 'parameters.npz')
    assert not list(tmp_path.iterdir())


def test_gluons_own_files_still_load(tmp_path):
    path = tmp_path / 'parameters.params'
    model = MXNet().build(((1, 4),), (1, 1, 8, 8))
    model.save_parameters(str(path))
    other = VGG(((1, 4),))
    other.load(path)
    X = images((3, 1, 8, 8))
    np.testing.assert_array_equal(
        MXNet().forward(model, X), MXNet().forward(other, X)
    )
    with pytest.raises(ValueError, match='are of another network: '):
        VGG(((1, 8),)).load(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match='damaged'):
        other.load(path)


def test_a_full_disk_keeps_the_parameters_before(tmp_path):
    """The file system takes no more than so many bytes of a file."""
    resource = pytest.importorskip('resource')
    path = tmp_path / 'parameters.npz'
    model = MXNet().build(((1, 64),), (1, 1, 32, 32))
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
    assert [p.name for p in tmp_path.iterdir()] == ['parameters.npz']


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
