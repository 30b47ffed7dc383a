"""Images that a network cannot take are refused in one sentence.

Here those of any network; what is told of the family in every framework is in
`tests/test_conformance.py`.
"""

import numpy as np
import pytest

pytest.importorskip('mxnet')

import mxnet as mx
from d2l import mxnet as d2l
from frameworks import MXNet, images
from mxnet import autograd
from mxnet.gluon import nn

from d2l_vgg.mxnet import VGG, Classifier, FashionMNIST, Trainer, inputs
from d2l_vgg.networks import architectures, costs

TINY = architectures.Architecture('tiny', ((1, 4), (1, 8)), hidden=(16,))


def build(shape=(1, 1, 32, 32), compiled=True):
    model = Classifier()  # Whose layers nobody knows
    model.lr, model.net = 0.1, VGG(TINY).net
    if compiled:
        model.compile()
    model(mx.np.zeros(shape))
    return model


def refusal(function, capfd):
    """Return what `function` is refused with, one sentence and no more."""
    with pytest.raises(inputs.WrongInput) as error:
        function()
    text = str(error.value)
    assert text[0] == 'X' and text[-1] == '.' and '\n' not in text
    out, err = capfd.readouterr()
    assert out == err == ''  # MXNet prints what it was given
    return text


@pytest.mark.parametrize('compiled', [True, False])
@pytest.mark.parametrize(
    'X, expected',
    [
        (
            mx.np.zeros((1, 1, 48, 48)),
            'X has the shape (1, 1, 48, 48), which does not fit this '
            'network: its Dense was drawn for 512 numbers of each image and '
            'gets (1, 8, 12, 12); take images of the size that it was drawn '
            'with.',
        ),
        (
            mx.np.zeros((1, 3, 32, 32)),
            'X has the shape (1, 3, 32, 32), which does not fit this '
            'network: its Conv2D was drawn for 1 channels, not 3.',
        ),
        (
            mx.np.zeros((2, 1024)),
            'X has the shape (2, 1024), which does not fit this network: its '
            'Conv2D takes (batch_size, num_channels, height, width) and gets '
            '(2, 1024).',
        ),
        (
            mx.np.zeros((1, 1, 3, 32)),
            'X has the shape (1, 1, 3, 32), which does not fit this network: '
            'its MaxPool2D has a window of 2 x 2 and gets 1 x 16; the '
            'smallest images that fit are 4 x 4.',
        ),
        (
            mx.np.zeros((0, 1, 32, 32)),
            'X has the shape (0, 1, 32, 32), which holds no example: leave '
            'such a minibatch out.',
        ),
        (
            mx.np.zeros((1, 1, 32, 32), dtype='uint8'),
            'X has the shape (1, 1, 32, 32), which does not fit this '
            'network: its Conv2D computes in float32 and gets uint8.',
        ),
        (
            np.zeros((1, 1, 32, 32), dtype='float32'),
            'X is a numpy.ndarray, but this network takes arrays of MXNet: '
            'mxnet.np.array(X) makes one.',
        ),
    ],
    ids=['size', 'RGB', 'flat', 'small', 'empty', 'type', 'NumPy'],
)
def test_what_does_not_fit_is_refused(X, expected, compiled, capfd):
    model = build(compiled=compiled)
    right = mx.np.array(images((2, 1, 32, 32)))
    before = model(right).asnumpy()
    assert refusal(lambda: model(X), capfd) == expected
    # And what fits is still computed
    np.testing.assert_array_equal(model(right).asnumpy(), before)
    assert MXNet().is_compiled(model) == compiled


@pytest.mark.parametrize('compiled', [True, False])
def test_five_blocks_need_more_than_28_pixels(compiled, capfd):
    model = VGG('vgg_small')
    if compiled:
        model.compile()
    smallest = costs.smallest_input('vgg_small')
    for train in (True, False):
        with autograd.record(train):
            text = refusal(lambda: model(mx.np.zeros((2, 1, 28, 28))), capfd)
        assert '(2, 1, 28, 28)' in text
        assert f'fit are {smallest} x {smallest}.' in text


class OwnNet(d2l.Classifier):
    """A class of d2l's, which knows nothing of us."""

    def __init__(self, net):
        super().__init__()
        self.lr, self.net = 0.1, net


@pytest.mark.parametrize(
    'make',
    [
        lambda: VGG('vgg_small'),
        lambda: OwnNet(VGG('vgg_small').net),
    ],
    ids=['ours', 'd2l'],
)
def test_fit_refuses_them(make, capfd):
    data = FashionMNIST(32, num_train=64, num_val=32)
    text = refusal(
        lambda: Trainer(1, display='none').fit(make(), data), capfd
    )
    assert 'the smallest images that fit are 32 x 32' in text


def test_fit_refuses_rgb_for_a_network_that_was_drawn_for_grey(capfd):
    class Coloured(FashionMNIST):
        def train_dataloader(self):
            return [
                (X.repeat(3, axis=1), y)
                for X, y in super().train_dataloader()
            ]

    data = Coloured(32, num_train=64, num_val=32)
    model = build((1, 1, 28, 28))
    text = refusal(lambda: Trainer(1, display='none').fit(model, data), capfd)
    assert 'drawn for 1 channels, not 3' in text


def test_the_smallest_size_is_that_of_the_arithmetic():
    for name in architectures.VGG_NAMES:
        expected = costs.smallest_input(name)
        assert inputs.smallest_size(VGG(name).net) == [expected] * 2


def test_where_layers_branch_no_size_is_told():
    class Branching(nn.HybridBlock):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2D(4, 5)

        def hybrid_forward(self, F, X):
            return self.conv(X)

    model = Classifier()
    model.net = nn.HybridSequential()
    model.net.add(Branching(), nn.Dense(2))
    model.net.initialize()
    with pytest.raises(inputs.WrongInput, match='5 x 5 and gets 4 x 4.$'):
        model(mx.np.zeros((1, 1, 4, 4)))


def test_a_fault_of_the_readers_own_is_shown_as_it_is():
    def wrong(F, X):
        raise ValueError('my own mistake')

    model = Classifier()
    model.net = nn.HybridSequential()
    model.net.add(nn.HybridLambda(wrong))
    with pytest.raises(ValueError, match='^my own mistake$'):
        model(mx.np.zeros((1, 1, 4, 4)))
