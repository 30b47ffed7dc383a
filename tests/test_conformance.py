"""What every implementation of every network of the family must fulfil.

The networks have a sixteenth of their width, of which nothing here depends;
`test_true_shapes_are_those_of_the_arithmetic` looks at all of it. Two of them
are fast, the others slow.
"""

import dataclasses
import importlib
import math
import re

import numpy as np
import pytest
from frameworks import NAMES, PARAMS, images, narrow
from safetensors.numpy import load_file

from d2l_vgg.networks import architectures, costs, names, summaries

X_SHAPE = (2, 1, 32, 32)
SMALL = architectures.Architecture(
    name='tiny', blocks=((1, 4), (2, 6)), hidden=(16, 8), dropout=0
)
SMALL_BN = dataclasses.replace(SMALL, batch_norm=True)
SMALL_SHAPE = (2, 1, 8, 8)


def tiny(*blocks):
    return architectures.Architecture('tiny', blocks, hidden=(16,))


@pytest.fixture(params=PARAMS, scope='module')
def framework(request):
    return request.param


@pytest.fixture(scope='module')
def VGG(framework):
    return framework.package.VGG


@pytest.fixture(scope='module')
def own(framework):
    """What a reader may write himself in this framework."""
    return importlib.import_module(f'own_{framework.name}')


@pytest.fixture(params=NAMES, scope='module')
def arch(request):
    return narrow(request.param)


@pytest.fixture(scope='module')
def model(framework, arch):
    return framework.build(arch, X_SHAPE)


@pytest.fixture(scope='module')
def small(framework):
    """A network that no test changes."""
    return framework.build(SMALL, SMALL_SHAPE)


# ------------------------------------------------- each of the family


def test_true_shapes_are_those_of_the_arithmetic(framework):
    """Whose totals `networks/test_costs.py` holds against published ones."""
    for name in architectures.VGG_NAMES:
        found = framework.shapes(name, (1, 3, 224, 224), 1000)
        expected = names.parameter_shapes(name, 1000)
        num_channels, *_ = expected['conv1_1.weight']
        expected['conv1_1.weight'] = (num_channels, 3, 3, 3)
        inputs = architectures.get(name).blocks[-1][1] * 7 * 7
        expected['dense1.weight'] = (4096, inputs)
        assert found == expected, name
        counted = [math.prod(s) for n, s in found.items() if 'run' not in n]
        totals = costs.totals(name, (3, 224, 224), 1000)
        assert sum(counted) == totals.num_params, name


def test_layers_are_those_of_the_arithmetic(framework, model, arch):
    assert framework.forward(model, images(X_SHAPE)).shape == (2, 10)
    totals = costs.totals(arch, X_SHAPE[1:], 10)
    counted = sum(p.size for p in framework.parameters(model).values())
    assert counted == totals.num_params
    rows = model.rows(framework.shape(X_SHAPE))
    assert sum(row.num_params for row in rows) == totals.num_params
    assert summaries.add(rows) == totals.macs
    assert rows[-1].output_shape == (2, 10)


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
    imperative = framework.imperative(model, X)
    np.testing.assert_allclose(compiled, imperative, rtol=1e-4, atol=1e-6)


def test_dropout_acts_in_training_only(framework, model):
    X = images(X_SHAPE)
    predicted = [framework.forward(model, X) for _ in range(2)]
    trained = [framework.forward(model, X, train=True) for _ in range(2)]
    np.testing.assert_array_equal(*predicted)
    assert not np.array_equal(*trained)


# ------------------------------------------------- what it computes


def test_xavier_initialization(framework):
    """Uniform with the bound of Glorot and Bengio (2010), zero biases."""
    arrays = framework.build(tiny((1, 16), (1, 32)), X_SHAPE).arrays()
    weight = arrays['conv2_1.weight']
    assert weight.shape == (32, 16, 3, 3)
    bound = np.sqrt(6 / (9 * (16 + 32)))
    assert 0.97 * bound < np.abs(weight).max() <= bound
    assert abs(weight.std() - bound / np.sqrt(3)) < 0.03 * bound
    for name, array in arrays.items():
        assert array.any() == name.endswith('weight'), name


def test_scores_of_flipped_images_are_recorded_and_predicted(framework):
    """The mean over an image and its mirror image."""
    shape = (32, 1, 8, 8)
    model = framework.build(tiny((1, 4), (1, 8)), shape)
    X, y = images(shape), np.arange(32) % 10
    batch = framework.images(X), framework.labels(y)
    plain, mirrored = (framework.forward(model, Z) for Z in (X, X[..., ::-1]))
    expected = (plain + mirrored) / 2
    assert np.abs(expected - plain).max() > 0.01 * np.abs(plain).max()
    plotted = {}
    model.trainer = trainer = framework.package.Trainer(1, test_flip=True)
    model.plot = lambda key, value, train: plotted.update(
        {key: float(trainer.detach(value))}
    )
    model.validation_step(batch)
    labels, scores = model.predict([batch], test_flip=True)
    np.testing.assert_array_equal(labels, y)
    P = softmax(expected)
    np.testing.assert_allclose(scores, P, rtol=1e-5)
    loss = -np.log(P[np.arange(32), y]).mean()
    assert plotted['loss'] == pytest.approx(loss, rel=1e-5)
    assert plotted['acc'] == pytest.approx((P.argmax(1) == y).mean())
    # Without, an image alone is judged
    _, scores = model.predict([batch])
    np.testing.assert_allclose(scores, softmax(plain), rtol=1e-5)


def softmax(scores):
    P = np.exp(scores.astype('float64'))
    return P / P.sum(axis=1, keepdims=True)


def test_predicting_compiles_and_goes_without_dropout(framework, VGG):
    """Also a network that was only read from a file."""
    model = VGG(tiny((1, 4), (1, 8)))
    X, y = images(SMALL_SHAPE), np.array([3, 7])
    framework.forward(model, X)
    batch = framework.images(X), framework.labels(y)
    first, second = (model.predict([batch])[1] for _ in range(2))
    assert framework.is_compiled(model)
    np.testing.assert_array_equal(first, second)


def test_predicting_nothing_is_refused(small):
    with pytest.raises(ValueError, match='^There are no examples to predict'):
        small.predict([])


def test_network_of_one_block_has_nothing_to_round(VGG):
    with pytest.raises(ValueError, match="'bfloat16', but .* no second"):
        VGG(tiny((1, 4))).set_precision('bfloat16')


# ------------------------------------------------- the table of layers

BOOK = ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))
# As printed in the book, https://d2l.ai/chapter_convolutional-modern
SHAPES = [(1, c, n, n) for c, n in
          [(64, 112), (128, 56), (256, 28), (512, 14), (512, 7)]]  # fmt: skip
# The classes of the layers behind the blocks
LAYERS = {
    'mxnet': 'Dense Dropout Dense Dropout Dense',
    'torch': 'Flatten Linear ReLU Dropout Linear ReLU Dropout Linear',
    'tensorflow': 'Flatten Dense Dropout Dense Dropout Dense',
    'jax': 'Dense Dropout Dense Dropout Dense',
}


def test_summary_prints_the_lines_of_the_book(framework, VGG, capsys):
    VGG(BOOK).layer_summary(framework.shape((1, 1, 224, 224)))
    header, *lines, total = capsys.readouterr().out.splitlines()
    assert header.split() == ['parameters', 'mult-adds']
    assert total.split() == ['Total', '128,806,154', '7,547,232,256']
    row = r'(\w+) output shape: \((.*)\) +[\d,]+ +[\d,]+$'
    found = [re.match(row, line).groups() for line in lines]
    blocks = [re.sub('^Hybrid', '', name) for name, _ in found[:5]]
    assert blocks == ['Sequential'] * 5
    behind = LAYERS[framework.name].split()
    assert [name for name, _ in found[5:]] == behind
    shapes = [tuple(map(int, shape.split(','))) for _, shape in found]
    assert shapes[:5] == [framework.shape(shape) for shape in SHAPES]
    for name, shape in zip(behind[:-1], shapes[5:-1]):
        assert shape == (1, 25088 if name == 'Flatten' else 4096)
    assert shapes[-1] == (1, 10)
    assert lines[1].endswith(' 73,856    924,844,032')
    # The width of a code cell on the page
    assert all(len(line) <= 71 for line in (header, *lines, total))


def test_summary_leaves_the_network_as_it_was(framework):
    model = framework.build(SMALL_BN, X_SHAPE)
    X = images(X_SHAPE)
    before = framework.forward(model, X)
    model.layer_summary(framework.shape((1, 1, 32, 32)))
    assert framework.is_compiled(model)
    np.testing.assert_array_equal(before, framework.forward(model, X))


def test_summary_refuses_what_does_not_fit(framework, VGG):
    with pytest.raises(ValueError, match='smaller than its|32 x 32'):
        VGG('vgg11').layer_summary(framework.shape((1, 1, 28, 28)))
    with pytest.raises(ValueError, match='Classifier has no net'):
        framework.package.Classifier().layer_summary(X_SHAPE)


@pytest.mark.parametrize(
    'shape, told',
    [
        (None, 'A size in X_shape is None'),
        ((2.0, 1, 28, 28), r'A size in X_shape is 2\.0'),
        ((1, 1, -28, 28), 'A size in X_shape is -28'),
        (3, r'X has the shape \(3,\)'),
        ((1, 1, 28), r'X has the shape \(1, 1, 28\)'),
    ],
)
def test_summary_refuses_what_is_no_shape(VGG, small, shape, told):
    for model in VGG(SMALL), small:
        with pytest.raises(ValueError, match=told):
            model.layer_summary(shape)


# ------------------------------------------------- what cannot be


@pytest.mark.parametrize(
    'words, message',
    [
        ({'arch': 'lenet'}, 'lenet is not built of VGG blocks: choose one'),
        ({'arch': ((0, 16),)}, 'num_convs of block 1 is 0: it must be 1 or'),
        ({'num_classes': 0}, '^num_classes is 0: it must be '),
    ],
)
def test_impossible_networks_are_refused(VGG, words, message):
    with pytest.raises(ValueError, match=message):
        VGG(**{'arch': 'vgg11', **words})


def test_numpys_numbers_are_as_good(framework, VGG):
    model = VGG(SMALL, lr=np.float32(0.5), num_classes=np.int64(3))
    assert (type(model.lr), model.lr) == (float, 0.5)
    assert framework.forward(model, images(SMALL_SHAPE)).shape == (2, 3)


def refusal(framework, model, shape, train=False):
    """Return what images (batch_size, channels, height, width) end in."""
    with pytest.raises(ValueError) as error:
        framework.forward(model, images(shape), train)
    text = str(error.value)
    assert text[-1] == '.' and '\n' not in text
    shape = framework.shape(shape)
    assert text.startswith(f'X has the shape {shape}, which ')
    return text.partition(', which ')[2]


# For SMALL with images of one channel and 8 x 8
WRONG = {
    (2, 1, 3, 8): (
        'does not fit this network: the smallest images that fit are 4 x 4.'
    ),
    (2, 1, 12, 8): (
        'does not fit this network: its dense1 was drawn for 24 numbers of '
        'each image and gets (6, 3, 2); take images of the size that it was '
        'drawn with.'
    ),
    (2, 3, 8, 8): (
        'does not fit this network: its conv1_1 was drawn for num_channels '
        '1, not 3.'
    ),
    (0, 1, 8, 8): 'holds no example: leave such a minibatch out.',
}


@pytest.mark.parametrize('train', [False, True])
def test_images_that_do_not_fit_are_refused(framework, small, train):
    X = images(SMALL_SHAPE)
    before = framework.forward(small, X)
    for shape, text in WRONG.items():
        assert refusal(framework, small, shape, train) == text
        np.testing.assert_array_equal(framework.forward(small, X), before)


def test_images_of_another_kind_are_refused(framework, small):
    axes = '(batch_size, num_channels, height, width)'
    X = framework.images(np.zeros((2, 64, 1, 1), 'float32')).reshape(2, 64)
    if framework.channels_last:
        axes = '(batch_size, height, width, num_channels)'
    with pytest.raises(ValueError) as error:
        small(X)
    assert str(error.value) == (
        'X has the shape (2, 64), which does not fit this network: it takes '
        f'{axes}.'
    )


def test_nothing_is_drawn_for_images_that_are_too_small(framework, VGG):
    """So that a run with a seed is not another one after a refusal."""
    model = VGG(SMALL)
    refusal(framework, model, (2, 3, 3, 3))
    with pytest.raises(ValueError, match='before they are drawn'):
        model.arrays()
    assert framework.forward(model, images(SMALL_SHAPE)).shape == (2, 10)


def test_fit_refuses_images_that_do_not_fit(framework, small):
    data = framework.package.FashionMNIST(32, num_train=64, num_val=32)
    with pytest.raises(ValueError, match='its dense1 was drawn for 24 numb'):
        framework.package.Trainer(1, display='none').fit(small, data)


# ------------------------------------------------- parameters in files


def test_parameters_of_another_network_change_nothing(
    framework, VGG, tmp_path
):
    path = tmp_path / 'parameters.safetensors'
    framework.build(tiny((1, 4)), X_SHAPE).save(path)
    for blocks in [(1, 8)], [(2, 4)], [(1, 4), (1, 4)], [(1, 4, 1)]:
        model = VGG(tiny(*blocks))
        with pytest.raises(ValueError, match='are of another network: '):
            model.load(path)
        framework.forward(model, images(X_SHAPE))  # Draws them
        before = model.arrays()
        with pytest.raises(ValueError, match='are of another network: '):
            model.load(path)
        for name, array in model.arrays().items():
            np.testing.assert_array_equal(before[name], array, name)


def test_damaged_parameters_change_nothing(framework, tmp_path):
    path = tmp_path / 'parameters.safetensors'
    model = framework.build(tiny((1, 4)), SMALL_SHAPE)
    model.save(path)
    content = path.read_bytes()
    before = model.arrays()
    flip = bytearray(content)
    flip[len(flip) // 2] ^= 1
    for damaged in content[:-100], bytes(flip), b'', b'once upon':
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match='damaged'):
            model.load(path)
    for name, array in model.arrays().items():
        np.testing.assert_array_equal(before[name], array)


def test_what_is_not_drawn_cannot_be_saved(framework, VGG, tmp_path):
    path, other = tmp_path / 'a.safetensors', tmp_path / 'b.safetensors'
    with pytest.raises(ValueError, match='before they are drawn'):
        VGG(tiny((1, 4))).save(path)
    assert not list(tmp_path.iterdir())
    # All but the last layer is known
    trained = framework.build(tiny((1, 4)), SMALL_SHAPE)
    trained.save(path)
    model = VGG(tiny((1, 4)), num_classes=3)
    model.load(path, last=False)
    with pytest.raises(ValueError, match='before they are drawn'):
        model.save(other)
    assert framework.forward(model, images(SMALL_SHAPE)).shape == (2, 3)
    for name, array in trained.arrays().items():
        if not name.startswith('dense2'):
            np.testing.assert_array_equal(model.arrays()[name], array, name)


def test_another_classs_parameters_keep_their_own_names(
    framework, own, tmp_path
):
    """Whatever its `arch` says."""
    path = tmp_path / 'parameters.safetensors'
    models = own.Written(), own.Written()
    X = images((2, 1, 8, 8))
    for model in models:
        model.arch = 'resnet'
        framework.forward(model, X)
    models[0].save(path)
    found = load_file(path)
    assert 'conv1_1.weight' not in found
    assert set(found) == set(models[0].arrays())
    models[1].load(path)
    np.testing.assert_array_equal(
        *(framework.forward(model, X) for model in models)
    )
