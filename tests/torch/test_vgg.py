"""PyTorch's side of the family: layers, parameters in files, precisions."""

import numpy as np
import pytest

pytest.importorskip('torch')

import torch
from frameworks import Torch, images
from torch import nn


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


# ------------------------------------------------- parameters in files
