"""Tests of what networks cost: counts, shapes, tables and refusals.

They hold costs.py against published totals, the paper's tables and counts
written down a second time in another way.
"""

import math

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

# Table 1 of the paper once more, read line by line: `64` is a 3x3 convolution
# with 64 channels, `1x64` a 1x1 convolution, `M` the max-pooling
TABLE_1 = {
    'A': '64 M 128 M 256 256 M 512 512 M 512 512 M',
    'A-LRN': '64 LRN M 128 M 256 256 M 512 512 M 512 512 M',
    'B': '64 64 M 128 128 M 256 256 M 512 512 M 512 512 M',
    'C': '64 64 M 128 128 M 256 256 1x256 M 512 512 1x512 M 512 512 1x512 M',
    'D': '64 64 M 128 128 M 256 256 256 M 512 512 512 M 512 512 512 M',
    'E': '64 64 M 128 128 M 256 256 256 256 M 512 512 512 512 M '
    '512 512 512 512 M',
}


def count_table_1(letter, height, width, in_channels, num_classes):
    """Count the parameters and multiply-adds of a column of Table 1."""
    params = macs = 0
    for word in TABLE_1[letter].split():
        if word == 'M':
            height, width = height // 2, width // 2
        elif word != 'LRN':
            one_by_one = word.startswith('1x')
            out_channels = int(word[2:] if one_by_one else word)
            taps = 1 if one_by_one else 9
            per_pixel = in_channels * out_channels * taps
            params += per_pixel + out_channels
            macs += per_pixel * height * width
            in_channels = out_channels
    num_inputs = in_channels * height * width
    for num_outputs in (4096, 4096, num_classes):
        params += (num_inputs + 1) * num_outputs
        macs += num_inputs * num_outputs
        num_inputs = num_outputs
    return params, macs


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


@pytest.mark.parametrize('letter', TABLE_1)
@pytest.mark.parametrize(
    'input_shape, num_classes',
    [((3, 224, 224), 1000), ((1, 32, 32), 10), ((2, 70, 101), 7)],
)
def test_totals_equal_a_second_count_of_table_1(
    letter, input_shape, num_classes
):
    channels, height, width = input_shape
    expected = count_table_1(letter, height, width, channels, num_classes)
    total = totals(letter, input_shape, num_classes)
    assert (total.num_params, total.macs) == expected


@pytest.mark.parametrize('name', FAMILY)
def test_rows_add_up_to_the_totals(name):
    rows = summary(name)
    total = totals(name)
    assert total.num_params == sum(row.num_params for row in rows)
    assert total.num_params == total.conv_params + total.dense_params
    assert total.macs == total.conv_macs + total.dense_macs
    assert total.activations == sum(
        math.prod(row.output_shape) for row in rows
    )
    assert len({row.name for row in rows}) == len(rows)


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
        with pytest.raises(ValueError, match=f'{smallest} x {smallest}$'):
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
