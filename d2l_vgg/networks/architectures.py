"""The VGG family as one table, beside the book's LeNet and AlexNet."""

from __future__ import annotations

import ast
import difflib
import warnings
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from d2l_vgg import limits

# For messages
_EXAMPLE = '((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))'


class Spec(NamedTuple):
    """One layer before its input is known.

    `size` is the number of output channels or units, 0 where a layer keeps
    that of its input; `kernel`, `stride` and `padding` are the same for
    height and width.
    """

    name: str
    kind: str
    size: int = 0
    kernel: int = 1
    stride: int = 1
    padding: int = 0


@dataclass(frozen=True)
class Architecture:
    """A convolutional network of the book, described without a framework.

    `blocks`: one `(num_convs, num_channels)` or `(num_convs, num_channels,
    num_1x1)` per VGG block, stored as triples: 3x3 convolutions with padding
    1, then 1x1 convolutions, each with a ReLU, then 2x2 max-pooling.
    `letter`: the column of Table 1 of the VGG paper (Simonyan and Zisserman,
    2014).
    `batch_norm`: between each convolution and its ReLU.
    `lrn`: local response normalization before the first pooling (A-LRN).
    `hidden`: widths of the fully connected layers before the output, each
    followed by dropout, unless `dropout` is 0.
    `layers`: the convolutions and poolings of a network without `blocks`.

    Raises:
        ValueError: a value is none that a network can have.
    """

    name: str
    blocks: tuple = ()
    letter: str = ''
    batch_norm: bool = False
    lrn: bool = False
    hidden: tuple = (4096, 4096)
    dropout: float = 0.5
    layers: tuple = ()

    def __post_init__(self) -> None:
        for what in 'name', 'letter':
            text = getattr(self, what)
            if not isinstance(text, str) or not text.isprintable():
                raise ValueError(
                    f'{what} must be a text that can be printed, not {text!r}'
                )
        for what in 'batch_norm', 'lrn':
            limits.check(what, getattr(self, what), bool)
        # Lists are turned into tuples, so that what was read from JSON equals
        # what was written
        blocks = as_tuple(self.blocks, 'blocks')
        layers = as_tuple(self.layers, 'layers')
        hidden = as_tuple(self.hidden, 'hidden')
        if bool(blocks) == bool(layers):
            raise ValueError(
                f'the architecture {self.name!r} needs either blocks such as '
                f'{_EXAMPLE} or layers, but has '
                + ('both' if blocks else 'neither')
            )
        try:
            limits.check('dropout', self.dropout, float, least=0, below=1)
        except ValueError:
            raise ValueError(
                'dropout is the share of units set to zero, at least 0 and '
                f'below 1, not {self.dropout!r}'
            ) from None
        triples = [_triple(i, block) for i, block in enumerate(blocks, 1)]
        widths = [as_size(width, 'a width in hidden') for width in hidden]
        specs = [Spec(*row) for row in layers]
        # A frozen dataclass can be assigned to in no other way
        object.__setattr__(self, 'blocks', tuple(triples))
        object.__setattr__(self, 'hidden', tuple(widths))
        object.__setattr__(self, 'layers', tuple(specs))

    def block_arguments(self) -> list[tuple]:
        """Return what `vgg_block` takes for each block, in its order."""
        return [
            (*block, self.batch_norm, self.lrn and i == 0)
            for i, block in enumerate(self.blocks)
        ]


def as_tuple(value: Any, what: str) -> tuple:
    """Return `value` as a tuple; `what` is its name in an error.

    Raises:
        ValueError: it is a text, or no sequence.
    """
    if isinstance(value, str):
        raise ValueError(f'{what} must be a tuple, not the text {value!r}')
    try:
        return tuple(value)
    except TypeError:
        raise ValueError(f'{what} must be a tuple, not {value!r}') from None


def as_size(value: Any, what: str, least: int = 1) -> int:
    """Return `value` as an int; `what` is its name in an error.

    Raises:
        ValueError: it is no integer, or below `least`, 1 or 0.
    """
    try:
        return limits.check(what, value, int, least=least)
    except ValueError:
        kind = 'a positive integer' if least else 'an integer from 0 up'
        raise ValueError(f'{what} must be {kind}, not {value!r}') from None


def _triple(i, block):
    if not isinstance(block, (tuple, list)) or len(block) not in (2, 3):
        raise ValueError(
            f'block {i} must be a pair (num_convs, num_channels) or a triple '
            f'(num_convs, num_channels, num_1x1), not {block!r}; '
            f'an example of a whole architecture is {_EXAMPLE}'
        )
    num_convs, num_channels, num_1x1 = (*block, 0)[:3]
    return (
        as_size(num_convs, f'num_convs of block {i}'),
        as_size(num_channels, f'num_channels of block {i}'),
        as_size(num_1x1, f'num_1x1 of block {i}', least=0),
    )


# Columns A to E of Table 1 of the paper
_A = ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))
_B = ((2, 64), (2, 128), (2, 256), (2, 512), (2, 512))
_C = ((2, 64), (2, 128), (2, 256, 1), (2, 512, 1), (2, 512, 1))
_D = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))
_E = ((2, 64), (2, 128), (4, 256), (4, 512), (4, 512))

FAMILY = {
    arch.name: arch
    for arch in (
        Architecture('vgg11', _A, 'A'),
        Architecture('vgg11_lrn', _A, 'A-LRN', lrn=True),
        Architecture('vgg13', _B, 'B'),
        Architecture('vgg16_1x1', _C, 'C'),
        Architecture('vgg16', _D, 'D'),
        Architecture('vgg19', _E, 'E'),
        Architecture('vgg11_bn', _A, batch_norm=True),
        Architecture('vgg13_bn', _B, batch_norm=True),
        Architecture('vgg16_bn', _D, batch_norm=True),
        Architecture('vgg19_bn', _E, batch_norm=True),
        # The one that the book trains
        Architecture(
            'vgg_small', ((1, 16), (1, 32), (2, 64), (2, 128), (2, 128))
        ),
        # For comparison, as in the book's sections on them
        Architecture(
            'lenet',
            hidden=(120, 84),
            dropout=0,
            layers=(
                Spec('conv1', 'conv 5x5', 6, kernel=5, padding=2),
                Spec('pool1', 'avg pool', kernel=2, stride=2),
                Spec('conv2', 'conv 5x5', 16, kernel=5),
                Spec('pool2', 'avg pool', kernel=2, stride=2),
            ),
        ),
        Architecture(
            'alexnet',
            layers=(
                Spec('conv1', 'conv 11x11', 96, 11, stride=4, padding=1),
                Spec('pool1', 'max pool', kernel=3, stride=2),
                Spec('conv2', 'conv 5x5', 256, kernel=5, padding=2),
                Spec('pool2', 'max pool', kernel=3, stride=2),
                Spec('conv3', 'conv 3x3', 384, kernel=3, padding=1),
                Spec('conv4', 'conv 3x3', 384, kernel=3, padding=1),
                Spec('conv5', 'conv 3x3', 256, kernel=3, padding=1),
                Spec('pool3', 'max pool', kernel=3, stride=2),
            ),
        ),
    )
}

# Those that a VGG class can build
VGG_NAMES = tuple(name for name, arch in FAMILY.items() if arch.blocks)


def get(arch: Any) -> Architecture:
    """Return the Architecture that `arch` stands for.

    Args:
        arch: a name of `FAMILY` or a letter of the paper, in any spelling
            such as 'VGG-11', 'vgg16 bn', 'a-lrn' or 'small'; a tuple of
            pairs as in the book; or an Architecture

    Raises:
        ValueError: the name is unknown, or the tuple is no architecture.
    """
    if isinstance(arch, Architecture):
        return arch
    if isinstance(arch, str):
        return FAMILY[_find_name(arch)]
    if not isinstance(arch, (tuple, list)):
        raise ValueError(
            'an architecture is a name such as vgg11, a letter of the VGG '
            f'paper, or a tuple of pairs such as {_EXAMPLE}, not {arch!r}'
        )
    return named(Architecture('custom', tuple(arch)))


def named(custom: Architecture) -> Architecture:
    """Return the member of the family with these layers, or `custom`."""
    for known in FAMILY.values():
        if known == replace(custom, name=known.name, letter=known.letter):
            return known
    return custom


def get_vgg(arch: Any) -> Architecture:
    """Return the Architecture that `arch` stands for, one built of blocks.

    Raises:
        ValueError: as `get`, and for lenet and alexnet.
    """
    arch = get(arch)
    if not arch.blocks:
        raise ValueError(
            f'{arch.name} is not built of VGG blocks: choose one of '
            f'{", ".join(VGG_NAMES)}.'
        )
    return arch


def _find_name(text):
    def squeeze(name):
        return ''.join(c for c in name.lower() if c not in '-_ ')

    names = {squeeze(name): name for name in FAMILY}
    letters = {a.letter: a.name for a in FAMILY.values() if a.letter}
    known = {**names, 'small': 'vgg_small'}
    known.update({squeeze(a): name for a, name in letters.items()})
    key = squeeze(text)
    if key in known:
        return known[key]
    nearest = max(
        names, key=lambda n: difflib.SequenceMatcher(None, key, n).ratio()
    )
    raise ValueError(
        f'there is no architecture {text!r}; the nearest is '
        f'{names[nearest]}, the names are {", ".join(FAMILY)}, and the '
        f'letters of the VGG paper ({", ".join(letters)}) will do as well'
    )


def _vgg_block(i, num_convs, num_channels, num_1x1, batch_norm, lrn):
    kernels = [3] * num_convs + [1] * num_1x1
    specs = []
    for j, kernel in enumerate(kernels, start=1):
        name, kind = f'conv{i}_{j}', f'conv {kernel}x{kernel}'
        padding = kernel // 2
        specs.append(Spec(name, kind, num_channels, kernel, padding=padding))
        if batch_norm:
            specs.append(Spec(f'norm{i}_{j}', 'batch norm'))
    if lrn:
        specs.append(Spec(f'lrn{i}', 'lrn'))
    specs.append(Spec(f'pool{i}', 'max pool', kernel=2, stride=2))
    return specs


def layers_of(arch: Architecture, num_classes: int = 10) -> list[list[Spec]]:
    """Return the layers of an Architecture, in forward order.

    They are a list for each child of the whole network: a VGG block is one
    child, and so is every other layer.
    """
    children = [
        _vgg_block(i, *block)
        for i, block in enumerate(arch.block_arguments(), start=1)
    ]
    children += [[spec] for spec in arch.layers]
    for i, width in enumerate(arch.hidden, start=1):
        children.append([Spec(f'dense{i}', 'dense', width)])
        if arch.dropout:
            children.append([Spec(f'dropout{i}', 'dropout')])
    last = f'dense{len(arch.hidden) + 1}'
    children.append([Spec(last, 'dense', num_classes)])
    return children


def read(word: str) -> Architecture:
    """Return the Architecture of a name, or of pairs as Python writes them.

    Raises:
        ValueError: the word is neither.
    """
    if not word.startswith(('(', '[')):
        return get(word)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # Such as of 1is 2
            pairs = ast.literal_eval(word)
    # Where brackets are nested too deep, Python raises one of the last two
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        raise ValueError(
            f'{word} does not read as pairs (num_convs, num_channels): '
            'write them as in ((1,16),(1,32)).'
        ) from None
    return get(pairs)
