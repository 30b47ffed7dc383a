"""PyTorch's side of the family: layers, parameters in files, precisions."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip('torch')

import torch
from frameworks import Torch, images, needs_bfloat16
from torch import nn

from d2l_vgg.networks import architectures
from d2l_vgg.torch import VGG, Classifier, vgg_block
from d2l_vgg.torch.layers import BatchNorm2d

BOOK = ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))
SMALL = dataclasses.replace(
    architectures.get('vgg11_bn'), hidden=(16,), dropout=0
)


def test_it_is_the_network_of_the_books_tab():
    """Its cells, with every layer of PyTorch's own, compute the same."""

    def block(num_convs, out_channels):
        layers = []
        for _ in range(num_convs):
            layers.append(
                nn.LazyConv2d(out_channels, kernel_size=3, padding=1)
            )
            layers.append(nn.ReLU())
        layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
        return nn.Sequential(*layers)

    arch = ((1, 16), (1, 32), (2, 64), (2, 128), (2, 128))
    book = nn.Sequential(
        *[block(*pair) for pair in arch],
        nn.Flatten(),
        nn.LazyLinear(4096),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.LazyLinear(4096),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.LazyLinear(10),
    ).eval()
    ours, X = Torch().build(arch, (2, 1, 32, 32)), images((2, 1, 32, 32))
    book.load_state_dict(ours.net.state_dict())
    np.testing.assert_allclose(
        Torch().forward(ours, X),
        book(torch.tensor(X)).detach(),
        rtol=1e-4,
        atol=1e-6,
    )


def test_a_name_builds_what_the_tuple_of_the_book_builds():
    assert VGG('vgg11').arch == VGG(BOOK).arch


def test_xavier_initialization():
    """Uniform with the bound of Glorot and Bengio (2010), zero biases."""
    params = Torch().parameters(
        Torch().build(((1, 16), (1, 32)), (1, 1, 32, 32))
    )
    weight = params['net.1.0.weight']
    bound = np.sqrt(6 / (9 * (16 + 32)))
    assert 0.97 * bound < np.abs(weight).max() <= bound
    assert abs(weight.std() - bound / np.sqrt(3)) < 0.03 * bound
    for name, param in params.items():
        assert param.any() == name.endswith('weight'), name


def test_the_biased_variance_is_kept():
    """Of three numbers a channel, where the two differ by a half."""
    X = images((3, 2, 1, 1)).astype('float64')
    layer = BatchNorm2d(2).double()
    theirs = nn.BatchNorm2d(2).double()
    mean, var = np.zeros(2), np.ones(2)
    for _ in range(3):
        Y, expected = layer(torch.tensor(X)), theirs(torch.tensor(X))
        np.testing.assert_allclose(Y.detach(), expected.detach())
        mean = 0.9 * mean + 0.1 * X.mean((0, 2, 3))
        var = 0.9 * var + 0.1 * X.var((0, 2, 3))
        np.testing.assert_allclose(layer.running_mean, mean, rtol=1e-12)
        np.testing.assert_allclose(layer.running_var, var, rtol=1e-12)
        X = X**2
    Y = layer.eval()(torch.tensor(X))
    mean, var = mean[:, None, None], var[:, None, None]
    np.testing.assert_allclose(
        Y.detach(), (X - mean) / np.sqrt(var + 1e-5), rtol=1e-12
    )


def test_local_response_norm_equals_numpy_in_float64():
    """Activations so large that each of its four constants counts."""
    X = 400 * (images((2, 9, 3, 3)) - 0.5)
    squares = np.pad(
        X.astype('float64') ** 2, ((0, 0), (2, 2), (0, 0), (0, 0))
    )
    strength = sum(squares[:, i : i + 9] for i in range(5)) / 5
    expected = X / (2 + 1e-4 * strength) ** 0.75
    (layer,) = [
        layer
        for layer in vgg_block(1, 4, lrn=True)
        if isinstance(layer, nn.LocalResponseNorm)
    ]
    np.testing.assert_allclose(layer(torch.tensor(X)), expected, rtol=1e-5)


@pytest.mark.parametrize('smoothing', [0, 0.1, 0.9])
def test_label_smoothing_is_the_cross_entropy_with_softer_labels(smoothing):
    class Trainer:
        label_smoothing = smoothing

        def plot(self, *values):
            plotted.append(values)

    plotted, model = [], VGG(((1, 4),))
    model.trainer = Trainer()
    X, y = images((6, 1, 8, 8)), np.arange(6)
    # No small differences between the scores, as at first
    scores = 9 * images((6, 10), seed=1)
    model.forward = lambda X: torch.tensor(scores)
    loss = model.training_step((torch.tensor(X), torch.tensor(y)))
    labels = smoothing / 10 + (1 - smoothing) * np.eye(10)[y]
    scores = scores.astype('float64')
    log_p = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    expected = -(labels * log_p).sum(axis=1).mean()
    assert float(loss) == pytest.approx(expected, rel=1e-6)
    ((key, value, train),) = plotted
    assert (key, value, train) == ('loss', loss, True)


def test_flipped_test_scores_are_those_that_are_recorded_and_predicted():
    class Trainer:
        test_flip = True

        def plot(self, key, value, train):
            plotted[key] = float(value.detach())

    model = Torch().build(((1, 4), (1, 8)), (32, 1, 8, 8))
    X, y = images((32, 1, 8, 8)), torch.arange(32) % 10
    both = [Torch().forward(model, Z) for Z in (X, X[..., ::-1].copy())]
    X = torch.tensor(X)
    plotted, model.trainer = {}, Trainer()
    model.validation_step((X, y))
    labels, scores = model.predict([(X, y)], test_flip=True)
    log_p = np.mean(both, axis=0)
    log_p -= np.log(np.exp(log_p).sum(1, keepdims=True))
    np.testing.assert_allclose(scores, np.exp(log_p), rtol=1e-5)
    loss = -log_p[np.arange(32), labels].mean()
    assert plotted['loss'] == pytest.approx(loss, rel=1e-5)
    assert plotted['acc'] == np.mean(scores.argmax(axis=1) == labels)


def test_predicting_goes_without_dropout():
    model = Torch().build('vgg_small', (2, 1, 32, 32))
    X, y = torch.tensor(images((2, 1, 32, 32))), torch.tensor([3, 7])
    model.train()
    first, second = (model.predict([(X, y)])[1] for _ in range(2))
    np.testing.assert_array_equal(first, second)


# ------------------------------------------------- precision


@needs_bfloat16
@pytest.mark.parametrize('name', ['vgg_small', 'vgg11_bn', 'A-LRN'])
def test_bfloat16_trains_nearly_as_float32_does(name):
    arch = dataclasses.replace(architectures.get(name), dropout=0)
    X, y = images((8, 1, 32, 32)), np.arange(8)
    model = Torch().build(arch, X.shape)
    loss, grads = Torch().gradients(model, X, y)
    grads = {n: grad.copy() for n, grad in grads.items()}
    model.set_precision('bfloat16')
    assert Torch().forward(model, X).dtype == np.float32
    rounded_loss, rounded = Torch().gradients(model, X, y)
    assert rounded_loss == pytest.approx(loss, rel=0.02)
    for key, grad in grads.items():
        assert rounded[key].dtype == np.float32
        if arch.batch_norm and key.endswith('.bias') and grad.ndim == 1:
            continue  # Normalization takes the bias out: the gradient is 0
        # Where two neighbours round to one number, pooling may pass the
        # gradient on to the other
        distance = np.linalg.norm(rounded[key] - grad)
        assert 0 < distance < 0.4 * np.linalg.norm(grad), key
    model.set_precision('float32')
    again, _ = Torch().gradients(model, X, y)
    assert again == loss


def test_a_network_of_one_block_has_nothing_to_round():
    with pytest.raises(ValueError, match="'bfloat16', but .* no second"):
        VGG(((1, 4),)).set_precision('bfloat16')


# ------------------------------------------------- parameters in files


def trained(arch=SMALL, X_shape=(16, 1, 32, 32)):
    """Return a network with running statistics of its own."""
    model = Torch().build(arch, X_shape)
    for _ in range(3):
        Torch().forward(model, images(X_shape), train=True)
    return model


def test_parameters_have_the_same_names_everywhere(tmp_path):
    path = tmp_path / 'parameters.npz'
    model = trained()
    digest = model.save(path)
    assert len(digest) == 64
    own = model.state_dict()
    with np.load(path, allow_pickle=False) as file:
        names = set(file.files)
        for name, mine in (
            ('conv1_1.weight', 'net.0.0.weight'),
            ('norm1_1.weight', 'net.0.1.weight'),
            ('norm1_1.bias', 'net.0.1.bias'),
            ('norm1_1.running_mean', 'net.0.1.running_mean'),
            ('norm1_1.running_var', 'net.0.1.running_var'),
            ('conv5_2.bias', 'net.4.3.bias'),
            ('dense1.weight', 'net.6.weight'),
            ('dense2.bias', 'net.8.bias'),
        ):
            np.testing.assert_array_equal(file[name], own[mine], name)
    assert len(names) == len(own) + 2


def test_a_network_that_has_seen_no_image_loads(tmp_path):
    path = tmp_path / 'parameters.npz'
    model, X = trained(), images((3, 1, 32, 32))
    model.save(path)
    other = VGG(SMALL)
    other.load(path)
    np.testing.assert_array_equal(
        Torch().forward(other, X), Torch().forward(model, X)
    )


@pytest.mark.parametrize('drawn', [True, False])
@pytest.mark.parametrize(
    'other',
    [((1, 8),), ((2, 4),), ((1, 4), (1, 4)), 'vgg11'],
    ids=['channels', 'convolutions', 'blocks', 'name'],
)
def test_parameters_of_another_network_change_nothing(other, drawn, tmp_path):
    path = tmp_path / 'parameters.npz'
    Torch().build(((1, 4),), (1, 1, 32, 32)).save(path)
    model = Torch().build(other, (1, 1, 32, 32)) if drawn else VGG(other)
    before = model.arrays() if drawn else {}
    with pytest.raises(ValueError, match='are of another network: '):
        model.load(path)
    for name in before:
        np.testing.assert_array_equal(before[name], model.arrays()[name])


def test_what_is_not_drawn_cannot_be_saved(tmp_path):
    with pytest.raises(ValueError, match='before they are drawn'):
        VGG(((1, 4),)).save(tmp_path / 'parameters.npz')
    assert not list(tmp_path.iterdir())


class Own(Classifier):
    """Layers of PyTorch's own, and names that nobody else has."""

    def __init__(self):
        super().__init__()
        self.arch = 'resnet'
        self.net = nn.Sequential(
            nn.LazyConv2d(4, (1, 3), bias=False),
            nn.LazyBatchNorm2d(),
            nn.Flatten(),
            nn.LazyLinear(10),
        )


def test_another_classs_parameters_keep_their_own_names(tmp_path):
    path = tmp_path / 'parameters.npz'
    model, other, X = Own(), Own(), images((2, 3, 5, 5))
    model(torch.tensor(X))
    model.save(path)
    with np.load(path) as file:
        assert 'net.0.weight' in file.files
    other.load(path)  # Before it has seen an image
    np.testing.assert_array_equal(
        Torch().forward(model, X), Torch().forward(other, X)
    )


@pytest.mark.parametrize('drawn', [True, False])
def test_a_frozen_network_trains_its_last_layer_only(drawn, tmp_path):
    path = tmp_path / 'parameters.npz'
    before, X = trained(), images((8, 1, 32, 32))
    before.save(path)
    model = VGG(SMALL, num_classes=3)
    model.load(path, last=False)
    if drawn:
        Torch().forward(model, X)
    model.freeze()
    last = Torch().forward(model, X)
    X, y = torch.tensor(X), torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])
    optim = model.configure_optimizers()
    for _ in range(2):
        model.loss(model(X), y).backward()
        optim.step()
    after = model.arrays()
    assert after['dense2.weight'].shape == (3, 16)
    for name, array in before.arrays().items():
        if 'dense2' not in name:
            np.testing.assert_array_equal(array, after[name], name)
    assert not np.array_equal(last, Torch().forward(model, X.numpy()))
