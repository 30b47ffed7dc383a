"""PyTorch's side of the family, beside the book's tab."""

import numpy as np
import pytest

pytest.importorskip('torch')

import section
import torch
from frameworks import Torch, images
from trainings import ARCH

from d2l_vgg.torch import VGG


def test_it_is_the_network_of_the_books_tab():
    """Its cells, with every layer of PyTorch's own, compute the same."""
    arch = ((1, 16), (1, 32), (2, 64), (2, 128), (2, 128))
    book = section.torch_net(arch).eval()
    ours, X = Torch().build(arch, (2, 1, 32, 32)), images((2, 1, 32, 32))
    book.load_state_dict(ours.net.state_dict())
    np.testing.assert_allclose(
        Torch().forward(ours, X),
        book(torch.tensor(X)).detach(),
        rtol=1e-4,
        atol=1e-6,
    )


def test_a_network_frozen_in_train_mode_keeps_its_statistics():
    model, X = VGG(ARCH), torch.rand(4, 1, 28, 28)
    model(X)
    model.train()
    model.freeze()
    before = model.arrays()
    model(X)
    for name, array in model.arrays().items():
        np.testing.assert_array_equal(array, before[name], name)
