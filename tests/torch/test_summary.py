"""The table of layers, of our networks and of a reader's own."""

import re

import numpy as np
import pytest

pytest.importorskip('torch')

import torch
from frameworks import Torch, images, narrow, needs_bfloat16
from torch import nn

from d2l_vgg.networks import architectures, costs
from d2l_vgg.torch import VGG, Classifier, vgg_block


def lines_of(model, capsys, X_shape, details=False):
    model.layer_summary(X_shape, details)
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split() == ['parameters', 'mult-adds']
    return lines


@pytest.mark.parametrize('name', architectures.VGG_NAMES)
def test_details_are_those_that_are_counted_without_a_framework(name, capsys):
    arch = narrow(name)
    model = VGG(arch)
    lines = lines_of(model, capsys, (2, 1, 32, 32), details=True)
    blocks = [row for row in costs.summary(arch, (1, 32, 32))]
    expected = [
        [row.name, str((2, *row.output_shape)), row.num_params, row.macs]
        for row in blocks
        if row.block < len(arch.blocks)
    ]
    found = []
    for line in lines:
        if line.startswith('    '):
            name, rest = line.split(' output shape: ')
            shape, num_params, macs = re.match(
                r'(\(.*\)) +(\d+) +(\d+)', rest
            ).groups()
            found.append([name.strip(), shape, int(num_params), int(macs)])
    assert found == expected


@needs_bfloat16
def test_summary_leaves_the_network_as_it_was(capsys):
    model, X = (
        Torch().build('vgg_small', (2, 1, 32, 32)),
        images((2, 1, 32, 32)),
    )
    before = Torch().forward(model, X)
    model.train()
    plain = lines_of(model, capsys, (1, 1, 32, 32))
    assert model.training
    np.testing.assert_array_equal(before, Torch().forward(model, X))
    model.set_precision('bfloat16')
    assert lines_of(model, capsys, (1, 1, 32, 32)) == plain


class Residual(nn.Module):
    """One that PyTorch does not know, with a parameter of its own."""

    def __init__(self, shared):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))
        self.inner = nn.Sequential(shared, nn.ReLU())

    def forward(self, X):
        return X * self.scale[:, None, None] + self.inner(X)


class Own(Classifier):
    def __init__(self):
        super().__init__()
        shared = nn.Conv2d(3, 3, 1)
        self.never = nn.Linear(5, 2)
        self.net = nn.Sequential(
            nn.ConvTranspose2d(1, 3, 2, stride=2),
            nn.PReLU(),
            Residual(shared),
            shared,
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.LSTM(3, 4),
        )

    def forward(self, X):
        return self.net(X)[0]


def test_a_readers_own_layers_are_counted_as_far_as_they_are_known(capsys):
    lines = lines_of(Own(), capsys, (2, 1, 4, 4), details=True)
    found = [tuple(re.split(' output shape: | {2,}', line)) for line in lines]
    lstm = 4 * (4 * 3 + 4 * 4 + 2 * 4)
    assert [(row[0] or row[1], *row[-2:]) for row in found] == [
        ('ConvTranspose2d', '15', str(4 * 3 * 16)),
        ('PReLU', '1', '0'),
        ('Residual', '15', '-'),
        ('conv3_1', '12', str(9 * 64)),
        ('Conv2d', '0', str(9 * 64)),
        ('AdaptiveAvgPool2d', '0', '0'),
        ('Flatten', '0', '0'),
        ('LSTM', str(lstm), '-'),
        ('Outside of these layers', '12', '-'),
        ('Total', str(15 + 1 + 15 + lstm + 12), '-'),
    ]


def test_a_block_of_blocks_shows_its_layers(capsys):
    class Deep(Classifier):
        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(
                nn.Sequential(vgg_block(1, 4), vgg_block(2, 6)),
                nn.Flatten(),
            )

    lines = lines_of(Deep(), capsys, (2, 1, 8, 8), details=True)
    assert [line.split()[0] for line in lines] == [
        'Sequential',
        'conv1_1',
        'pool1_1',
        'conv1_2',
        'conv1_3',
        'pool1_2',
        'Flatten',
        'Total',
    ]
