"""What `layer_summary` tells is what is there, in any network."""

import pytest

pytest.importorskip('mxnet')

from d2l import mxnet as d2l
from frameworks import MXNet, narrow
from mxnet import init, np, npx
from mxnet.gluon import nn

from d2l_vgg.mxnet import VGG, Classifier, layers
from d2l_vgg.mxnet.vgg import vgg_block
from d2l_vgg.networks import architectures, costs, summaries


class Own(Classifier):
    """A reader's class around any network."""

    def __init__(self, *blocks, arch=None):
        super().__init__()
        self.arch, self.num_classes = arch, 10
        self.net = nn.HybridSequential()
        self.net.add(*blocks)
        self.net.initialize(init.Xavier())


def num_params(model):
    """Count what the optimizer changes, number by number."""
    return sum(
        p.data().size
        for p in model.collect_params().values()
        if p.grad_req != 'null'
    )


def total(rows):
    return sum(row.num_params for row in rows), summaries.add(rows)


@pytest.mark.parametrize('name', architectures.VGG_NAMES)
def test_the_layers_agree_with_the_arithmetic(name, capsys):
    """Counted in the network here, from the architecture there."""
    shape, arch = (2, 3, 32, 32), narrow(name)
    model = VGG(arch)
    model.layer_summary(shape, details=True)
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    expected = costs.summary(arch, shape[1:])
    assert printed[-1][1:] == [
        str(n) for n in costs.totals(arch, shape[1:])[:2]
    ]
    blocks = arch.blocks
    lines = iter(printed[1:-1])
    for row in expected:
        found = next(lines)
        if found[0] == 'HybridSequential':
            inside = [part for part in expected if part.block == row.block]
            assert found[-2:] == [
                str(sum(part.num_params for part in inside)),
                str(sum(part.macs for part in inside)),
            ]
            found = next(lines)
        if row.block < len(blocks):
            assert found[0] == row.name
        text = ' '.join(found)
        assert text.endswith(
            f'shape: {(2, *row.output_shape)} {row.num_params} {row.macs}'
        )
    assert next(lines, None) is None


def test_a_readers_own_class_with_an_arch_is_told_as_it_is(capsys):
    """Its dense layers are not VGG's, whatever its `arch` says."""
    arch = architectures.get('vgg_small')
    blocks = [vgg_block(*block) for block in arch.blocks]
    model = Own(*blocks, nn.Dense(512, activation='relu'), nn.Dense(10))
    model.arch = arch
    model.layer_summary((1, 1, 224, 224))
    printed = capsys.readouterr().out.splitlines()
    conv = costs.totals(arch).conv_params
    dense = (128 * 49 + 1) * 512 + 513 * 10
    assert printed[6].split()[-2:] == [
        str((128 * 49 + 1) * 512),
        str(128 * 49 * 512),
    ]
    assert printed[-1].split()[1] == str(conv + dense) == str(3793738)
    assert num_params(model) == conv + dense


class Residual(nn.Block):
    """The book's residual block, imperative."""

    def __init__(self, num_channels, use_1x1conv=False, strides=1):
        super().__init__()
        self.conv1 = nn.Conv2D(num_channels, 3, padding=1, strides=strides)
        self.conv2 = nn.Conv2D(num_channels, 3, padding=1)
        self.conv3 = None
        if use_1x1conv:
            self.conv3 = nn.Conv2D(num_channels, 1, strides=strides)
        self.bn1, self.bn2 = nn.BatchNorm(), nn.BatchNorm()

    def forward(self, X):
        Y = npx.relu(self.bn1(self.conv1(X)))
        Y = self.bn2(self.conv2(Y))
        if self.conv3:
            X = self.conv3(X)
        return npx.relu(Y + X)


class ResNet(Classifier):
    """As in the book: its `arch` is no VGG's."""

    def __init__(self, arch, lr=0.1, num_classes=10):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential()
        self.net.add(nn.Conv2D(8, 7, strides=2, padding=3))
        for num_residuals, num_channels in arch:
            blk = nn.Sequential()
            for _ in range(num_residuals):
                blk.add(Residual(num_channels, use_1x1conv=True, strides=2))
            self.net.add(blk)
        self.net.add(nn.GlobalAvgPool2D(), nn.Dense(num_classes))
        self.net.initialize(init.Xavier())


def test_a_residual_network_is_counted_inside_of_its_blocks(capsys):
    model = ResNet(((1, 8), (2, 16)))
    rows = layers.rows(model, np.zeros((3, 1, 64, 64)))
    names = [[part.name for part in row.parts] for row in rows]
    inside = ['conv', 'norm', 'conv', 'norm', 'conv']
    assert names == [[], inside, inside * 2, [], []]
    assert rows[2].output_shape == (3, 16, 4, 4)
    first = 49 * 8 * 32**2
    one = (9 * 8 * 8 * 2 + 8 * 8) * 16**2
    two = (9 * 16 * (8 + 16) + 8 * 16) * 8**2
    two += (9 * 16 * (16 + 16) + 16 * 16) * 4**2
    assert [row.macs for row in rows] == [first, one, two, 0, 160]
    assert total(rows)[0] == num_params(model)


def test_d2ls_own_resnet():
    model = Classifier()
    model.net = d2l.resnet18(10)
    model.net.initialize()
    rows = layers.rows(model, np.zeros((1, 1, 96, 96)))
    assert total(rows)[0] == num_params(model)
    assert total(rows)[1] > 0


@pytest.mark.parametrize(
    'layer, output_shape, macs',
    [
        # At each of 4 x 4 places, 3 x 3 of half the 8 channels
        (
            nn.Conv2D(6, 3, 2, padding=1, groups=2, use_bias=False),
            (5, 6, 4, 4),
            16 * 9 * 4 * 6,
        ),
        (nn.Conv2D(6, 3, dilation=2), (5, 6, 4, 4), 16 * 9 * 8 * 6),
        (nn.Conv2D(6, (1, 3)), (5, 6, 8, 6), 48 * 3 * 8 * 6),
        # Each of the 8 x 8 input places spreads over 2 x 2
        (nn.Conv2DTranspose(6, 2, 2), (5, 6, 16, 16), 64 * 4 * 8 * 6),
        (nn.Dense(7), (5, 7), 8 * 8 * 8 * 7),
        # The last axis only: 8 x 8 times
        (nn.Dense(7, flatten=False), (5, 8, 8, 7), 64 * 8 * 7),
        (nn.MaxPool2D(2), (5, 8, 4, 4), 0),
        (nn.PReLU(), (5, 8, 8, 8), 0),
    ],
)
def test_multiply_adds_of_each_kind(layer, output_shape, macs):
    model = Own(layer)
    (row,) = layers.rows(model, np.zeros((5, 8, 8, 8)))
    assert (row.output_shape, row.macs) == (output_shape, macs)
    assert row.num_params == num_params(model)


class Scaled(nn.HybridBlock):
    """Has a parameter of its own, and what it computes nobody knows."""

    def __init__(self):
        super().__init__()
        self.scale = self.params.get('scale', shape=(4, 1, 1))
        self.conv = nn.Conv2D(4, 1, in_channels=4)

    def hybrid_forward(self, F, X, scale):
        return self.conv(X) * scale


def test_the_cost_of_an_unknown_layer_is_not_made_up(capsys):
    model = Own(nn.Conv2D(4, 3), Scaled(), nn.HybridLambda('relu'))
    model.net[2]._func = lambda F, X: F.npx.relu(X)
    model.layer_summary((1, 1, 8, 8), details=True)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    ends = [line[-2:] for line in lines[1:]]
    assert ends == [
        ['40', str(36 * 36)],
        ['24', '-'],
        ['20', str(16 * 36)],  # Its convolution
        ['0', '-'],
        ['64', '-'],
    ]


def test_shared_parameters_count_once(capsys):
    shared = nn.Dense(16)
    tied = nn.Dense(16, params=shared.params)
    model = Own(nn.Dense(16), shared, shared, tied, nn.Dense(10))
    rows = layers.rows(model, np.zeros((1, 16)))
    assert [row.num_params for row in rows] == [272, 272, 0, 0, 170]
    assert [row.macs for row in rows] == [256, 256, 256, 256, 160]
    assert total(rows)[0] == num_params(model)


def test_a_frozen_layer_is_told_as_any_other():
    model = Own(nn.Dense(16), nn.Dense(10))
    model.net[0].collect_params().setattr('grad_req', 'null')
    assert total(layers.rows(model, np.zeros((1, 8))))[0] == 144 + 170


def test_parameters_outside_of_the_layers_are_counted(capsys):
    class Shifted(Own):
        def __init__(self):
            super().__init__(nn.Dense(4))
            self.shift = self.params.get('shift', shape=(3,))
            self.shift.initialize()

        def forward(self, X):
            return self.net(X + self.shift.data())

    model = Shifted()
    model.layer_summary((1, 3))
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2].split() == ['Outside', 'of', 'these', 'layers', '3', '-']
    assert lines[-1].split() == ['Total', '19', '-']


def test_layers_that_are_no_sequence_are_told_as_they_are_called():
    class Two(Classifier):
        def __init__(self):
            super().__init__()
            self.last, self.first = nn.Dense(10), nn.Dense(5)
            self.initialize()

        def forward(self, X):
            return self.last(self.first(X))

    rows = layers.rows(Two(), np.zeros((2, 3)))
    assert [row.output_shape for row in rows] == [(2, 5), (2, 10)]


def test_the_summary_changes_nothing():
    model = MXNet().build(narrow('vgg_small'), (2, 1, 32, 32))
    graph = model.net._cached_op
    model.layer_summary((1, 1, 32, 32))
    assert model.net._cached_op is graph
    for block in (model, model.net, model.net[0], model.net[0][0]):
        assert not block._forward_hooks and not block._forward_pre_hooks
        assert block is model or block._active
