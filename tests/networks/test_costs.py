"""Tests of what networks cost: counts, shapes, tables and refusals.

They hold costs.py against published totals.
"""

import pytest

from d2l_vgg.networks.architectures import (
    FAMILY,
    VGG_NAMES,
    Architecture,
    get,
)
from d2l_vgg.networks.costs import (
    summary,
    summary_table,
    table,
    totals,
)

IMAGENET = {'input_shape': (3, 224, 224), 'num_classes': 1000}


@pytest.mark.parametrize(
    'name, shapes, num_params, giga_macs',
    [
        # As torchvision publishes them
        ('vgg11', IMAGENET, 132863336, 7.609),
        ('vgg13', IMAGENET, 133047848, 11.308),
        ('vgg16', IMAGENET, 138357544, 15.47),
        ('vgg19', IMAGENET, 143667240, 19.632),
        ('vgg11_bn', IMAGENET, 132868840, 7.609),
        ('vgg13_bn', IMAGENET, 133053736, 11.308),
        ('vgg16_bn', IMAGENET, 138365992, 15.47),
        ('vgg19_bn', IMAGENET, 143678248, 19.632),
        # VGG-16 whose last convolutions in three blocks are 1x1: 8 weights of
        # 9 fewer for each pair of 256, 512 and 512 channels
        ('vgg16_1x1', IMAGENET, 138357544 - 8 * 9 * 256**2, 11.771),
        # The book's
        ('vgg_small', {}, 43093322, 0.512),
        ('vgg11', {}, 128806154, 7.547),
        ('lenet', {'input_shape': (1, 28, 28)}, 61706, 0.0004165),
        ('alexnet', {}, 46764746, 0.938),
    ],
)
def test_totals_are_those_that_are_known(name, shapes, num_params, giga_macs):
    total = totals(name, **shapes)
    assert total.num_params == num_params
    assert total.macs / 1e9 == pytest.approx(giga_macs, rel=1e-3)


def test_a_network_may_have_no_hidden_layers():
    arch = Architecture('mine', ((1, 8),), hidden=())
    total = totals(arch, (1, 8, 8))
    assert total.dense_params == (8 * 4 * 4 + 1) * 10


@pytest.mark.parametrize(
    'arch, smallest',
    [
        *((name, 32) for name in VGG_NAMES),
        (((1, 8), (1, 16), (1, 32), (1, 64)), 16),
        ('lenet', 12),
        ('alexnet', 65),
    ],
)
def test_smallest_input_is_taken_and_a_smaller_one_refused(arch, smallest):
    assert get(arch).smallest_input == smallest
    rows = summary(arch, (1, smallest, smallest + 1))
    assert rows[-1].output_shape == (10,)
    for shape in ((1, smallest - 1, 224), (1, 224, smallest - 1)):
        with pytest.raises(ValueError, match=f' {smallest} x {smallest}.$'):
            summary(arch, shape)


@pytest.mark.parametrize(
    'arguments, message',
    [
        ({'input_shape': (224, 224)}, r'not \(224, 224\)'),
        ({'input_shape': 224}, 'not 224'),
        ({'input_shape': (0, 224, 224)}, 'channels of the input is 0'),
        ({'input_shape': (1, -224, 224)}, 'height of the input is -224'),
        ({'input_shape': (1, 224, 224.5)}, 'width of the input is 224.5'),
        ({'num_classes': 0}, 'num_classes is 0'),
        ({'num_classes': 'ten'}, "num_classes is 'ten'"),
    ],
)
def test_a_malformed_input_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        summary('vgg11', **arguments)


def test_tables_fit_a_terminal_and_tell_the_totals():
    lines = summary_table('vgg19_bn', **IMAGENET).split('\n')
    assert max(map(len, lines)) <= 78
    names = [row.name for row in summary('vgg19_bn', **IMAGENET)]
    assert set(names) <= {line.split()[0] for line in lines}
    total = ['total', '143678248', '19632.062', 'M', '31251944']
    assert lines[-1].split() == total
    lines = table(FAMILY, **IMAGENET, batch_size=64).split('\n')
    assert max(map(len, lines)) <= 78
    assert lines[1].split() == (
        'vgg11 A 11 132863336 123642856 7.609 G 123.6 M 2.1 GiB'.split()
    )


def test_table_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match='small for alexnet.*65 x 65'):
        table(['lenet', 'alexnet'], (1, 28, 28))
