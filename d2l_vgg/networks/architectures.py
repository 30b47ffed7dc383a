"""The VGG family as one table, beside the book's LeNet and AlexNet."""

from __future__ import annotations

import ast
import difflib
import itertools
import warnings
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from d2l_vgg import limits

# Ten times those of VGG-19, and what takes terabytes
LAYERS, UNITS = 200, 10**6

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
    `lrn`: normalization over 5 channels before the first pooling (A-LRN), as
    in AlexNet (Krizhevsky et al., 2012): alpha 1e-4 / 5, beta 0.75, k 2.
    `hidden`: widths of the fully connected layers before the output, each
    followed by dropout, unless `dropout` is 0.
    `layers`: a `Spec`, or its fields, for each convolution and pooling of a
    network without `blocks`.

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
        limits.check('batch_norm', self.batch_norm, bool)
        limits.check('lrn', self.lrn, bool)
        limits.check('dropout', self.dropout, float, least=0, below=1)
        for what in 'blocks', 'hidden', 'layers':
            value = getattr(self, what)
            if not isinstance(value, (tuple, list)):
                raise ValueError(f'{what} must be a tuple, not {value!r}')
        if bool(self.blocks) == bool(self.layers):
            raise ValueError(
                f'The architecture {self.name!r} needs either blocks such as '
                f'{_EXAMPLE} or layers, but has '
                + ('both.' if self.blocks else 'neither.')
            )
        # Tuples, so that what was read from JSON equals what was written; a
        # frozen dataclass can be assigned to in no other way
        vars(self).update(
            blocks=tuple(map(_triple, self.blocks, itertools.count(1))),
            hidden=tuple(
                limits.check('a width in hidden', width, int, 0, most=UNITS)
                for width in self.hidden
            ),
            layers=tuple(Spec(*row) for row in self.layers),
        )
        num_layers = sum(block[0] + block[2] for block in self.blocks)
        num_layers += len(self.hidden) + len(self.layers)
        limits.check('The number of layers', num_layers, int, most=LAYERS)

    @property
    def smallest_input(self) -> int:
        """The smallest height, equal to the smallest width, that fits."""
        size = 2 ** len(self.blocks)  # Each halves it
        # Backwards, from one pixel after the last pooling to the input
        for spec in reversed(self.layers):
            size = (size - 1) * spec.stride + spec.kernel - 2 * spec.padding
        return size

    def block_arguments(self) -> list[tuple]:
        """Return the arguments of `vgg_block` for each block.

        They are (num_convs, num_channels, num_1x1, batch_norm, lrn).
        """
        return [
            (*block, self.batch_norm, self.lrn and i == 0)
            for i, block in enumerate(self.blocks)
        ]


def _triple(block, i):
    if not isinstance(block, (tuple, list)) or len(block) not in (2, 3):
        raise ValueError(
            f'Block {i} must be a pair (num_convs, num_channels) or a triple '
            f'(num_convs, num_channels, num_1x1), not {block!r}; '
            f'an example of a whole architecture is {_EXAMPLE}.'
        )
    limit = {'kind': int, 'most': UNITS}
    columns = ('num_convs', 1), ('num_channels', 1), ('num_1x1', 0)
    return tuple(
        limits.check(f'{name} of block {i}', number, least=least, **limit)
        for (name, least), number in zip(columns, (*block, 0))
    )


# Columns A to E of Table 1 of the paper
_A = ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))
_B = ((2, 64), (2, 128), (2, 256), (2, 512), (2, 512))
_C = ((2, 64), (2, 128), (2, 256, 1), (2, 512, 1), (2, 512, 1))
_D = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))
_E = ((2, 64), (2, 128), (4, 256), (4, 512), (4, 512))

_SMALL = ((1, 16), (1, 32), (2, 64), (2, 128), (2, 128))

_LENET = (
    ('conv1', 'conv 5x5', 6, 5, 1, 2),
    ('pool1', 'avg pool', 0, 2, 2),
    ('conv2', 'conv 5x5', 16, 5),
    ('pool2', 'avg pool', 0, 2, 2),
)
_ALEXNET = (
    ('conv1', 'conv 11x11', 96, 11, 4, 1),
    ('pool1', 'max pool', 0, 3, 2),
    ('conv2', 'conv 5x5', 256, 5, 1, 2),
    ('pool2', 'max pool', 0, 3, 2),
    ('conv3', 'conv 3x3', 384, 3, 1, 1),
    ('conv4', 'conv 3x3', 384, 3, 1, 1),
    ('conv5', 'conv 3x3', 256, 3, 1, 1),
    ('pool3', 'max pool', 0, 3, 2),
)

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
        Architecture('vgg_small', _SMALL),
        # For comparison, as in the book's sections on them
        Architecture('lenet', hidden=(120, 84), dropout=0, layers=_LENET),
        Architecture('alexnet', layers=_ALEXNET),
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
            'An architecture is a name such as vgg11, a letter of the VGG '
            f'paper, or a tuple of pairs such as {_EXAMPLE}, not {arch!r}.'
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


def _squeeze(name):
    return ''.join(c for c in name.lower() if c not in '-_ ')


def _find_name(text):
    names = {_squeeze(name): name for name in FAMILY}
    letters = {a.letter: a.name for a in FAMILY.values() if a.letter}
    known = {_squeeze(letter): name for letter, name in letters.items()}
    known |= {**names, 'small': 'vgg_small'}
    key = _squeeze(text)
    if key in known:
        return known[key]
    nearest = max(
        names, key=lambda n: difflib.SequenceMatcher(None, key, n).ratio()
    )
    raise ValueError(
        f'There is no architecture {text!r}; the nearest is '
        f'{names[nearest]}, the names are {", ".join(FAMILY)}, and the '
        f'letters of the VGG paper ({", ".join(letters)}) will do as well.'
    )


def layers_of(arch: Architecture, num_classes: int = 10) -> list[Spec]:
    """Return the layers of an Architecture, in forward order."""
    specs = []
    for i, block in enumerate(arch.block_arguments(), start=1):
        num_convs, num_channels, num_1x1, batch_norm, lrn = block
        for j, kernel in enumerate([3] * num_convs + [1] * num_1x1, start=1):
            kind, padding = f'conv {kernel}x{kernel}', kernel // 2
            conv = Spec(
                f'conv{i}_{j}', kind, num_channels, kernel, 1, padding
            )
            specs.append(conv)
            if batch_norm:
                specs.append(Spec(f'norm{i}_{j}', 'batch norm'))
        if lrn:
            specs.append(Spec(f'lrn{i}', 'lrn'))
        specs.append(Spec(f'pool{i}', 'max pool', kernel=2, stride=2))
    specs += arch.layers
    for i, width in enumerate(arch.hidden, start=1):
        specs.append(Spec(f'dense{i}', 'dense', width))
        if arch.dropout:
            specs.append(Spec(f'dropout{i}', 'dropout'))
    last = f'dense{len(arch.hidden) + 1}'
    return [*specs, Spec(last, 'dense', num_classes)]


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
