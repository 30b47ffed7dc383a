"""Tests of the family as a table: names, tuples and refusals."""

import math

import numpy as np
import pytest

from d2l_vgg.networks.architectures import (
    FAMILY,
    VGG_NAMES,
    Architecture,
    get,
)

BOOK_VGG11 = ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))
BOOK_SMALL = ((1, 16), (1, 32), (2, 64), (2, 128), (2, 128))


def test_names_and_letters_in_many_spellings():
    assert list(FAMILY) == [arch.name for arch in FAMILY.values()]
    for name, arch in FAMILY.items():
        assert get(name) is get(name.upper()) is get(arch) is arch
    assert get('VGG-11') is get('vgg_11') is get('A') is FAMILY['vgg11']
    assert get('a-lrn') is FAMILY['vgg11_lrn']
    assert get('C') is FAMILY['vgg16_1x1']
    assert get('VGG-19-BN') is FAMILY['vgg19_bn']
    assert get('small') is FAMILY['vgg_small']
    assert get('AlexNet') is FAMILY['alexnet']
    assert set(FAMILY) - set(VGG_NAMES) == {'lenet', 'alexnet'}


def test_the_books_tuples_are_recognized():
    assert get(BOOK_VGG11) is FAMILY['vgg11']
    assert get(BOOK_SMALL) is FAMILY['vgg_small']
    assert get([list(pair) for pair in BOOK_SMALL]) is FAMILY['vgg_small']
    custom = get(((1, 8), [2, np.int64(16)], (1, 32, 1)))
    assert custom.name == 'custom'
    assert custom.blocks == ((1, 8, 0), (2, 16, 0), (1, 32, 1))
    assert all(type(n) is int for block in custom.blocks for n in block)


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ValueError) as error:
        get('vvg16-bn')
    message = str(error.value)
    assert "'vvg16-bn'" in message
    assert 'nearest is vgg16_bn,' in message
    assert '\n' not in message
    for name, arch in FAMILY.items():
        assert name in message and arch.letter in message


@pytest.mark.parametrize(
    'arch, message',
    [
        ((), 'neither'),
        (((1, 10**12),), 'num_channels of block 1 .* be 1000000 or less'),
        (((150, 4), (1, 4, 50)), 'number of layers is 203: it must be 200'),
        (((0, 16),), 'num_convs of block 1 is 0: it must be 1 or more'),
        (((1, 16), (1, -32)), 'num_channels of block 2 is -32'),
        (((1, 16.0),), 'num_channels of block 1 is 16.0'),
        (((1, 16, -1),), 'num_1x1 of block 1 is -1: it must be 0 or more'),
        (((1, 16), (1,)), r'Block 2 must be a pair .* not \(1,\)'),
        (('ab',), "Block 1 must be a pair .* not 'ab'"),
        (None, 'a name such as vgg11.*not None'),
    ],
)
def test_a_malformed_architecture_is_refused(arch, message):
    with pytest.raises(ValueError, match=message):
        get(arch)


@pytest.mark.parametrize(
    'options, message',
    [
        ({'hidden': (4096, 0)}, 'a width in hidden is 0'),
        ({'hidden': 4096}, 'hidden must be a tuple, not 4096'),
        ({'hidden': (10**12,)}, 'a width in hidden .* be 1000000 or less'),
        ({'dropout': 1}, 'dropout is 1'),
        ({'dropout': math.nan}, 'dropout is nan'),
        ({'layers': FAMILY['lenet'].layers}, 'both'),
        ({'batch_norm': 'false'}, "batch_norm is 'false'"),
        ({'letter': '\x1b[2J'}, 'letter must be .* printed'),
    ],
)
def test_malformed_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Architecture('mine', ((1, 16),), **options)
