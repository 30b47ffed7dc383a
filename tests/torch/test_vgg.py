"""PyTorch's side of the family: layers, parameters in files, precisions."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip('torch')

import torch
from frameworks import Torch, images
from safetensors.numpy import load_file
from torch import nn

from d2l_vgg.networks import architectures
from d2l_vgg.torch import VGG, Classifier, vgg_block
from d2l_vgg.torch.layers import BatchNorm2d

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


# ------------------------------------------------- parameters in files


def trained(arch=SMALL, X_shape=(16, 1, 32, 32)):
    """Return a network with running statistics of its own."""
    model = Torch().build(arch, X_shape)
    for _ in range(3):
        Torch().forward(model, images(X_shape), train=True)
    return model


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
    path = tmp_path / 'parameters.safetensors'
    model, other, X = Own(), Own(), images((2, 3, 5, 5))
    model(torch.tensor(X))
    model.save(path)
    assert 'net.0.weight' in load_file(path)
    other.load(path)  # Before it has seen an image
    np.testing.assert_array_equal(
        Torch().forward(model, X), Torch().forward(other, X)
    )


@pytest.mark.parametrize('drawn', [True, False])
def test_a_frozen_network_trains_its_last_layer_only(drawn, tmp_path):
    path = tmp_path / 'parameters.safetensors'
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
