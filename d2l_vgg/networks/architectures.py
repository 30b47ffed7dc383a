"""The VGG family as data, with the book's LeNet and AlexNet beside it.

From an architecture and an input shape alone, without any framework, this
module tells every layer's output shape, parameters, multiply-adds and memory.
"""

import difflib
import math
import numbers
import operator
from dataclasses import dataclass, replace
from typing import NamedTuple

# What a message shows to whoever wrote something else
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

    `blocks` holds one `(num_convs, num_channels)` or `(num_convs,
    num_channels, num_1x1)` per VGG block and is stored as triples: first
    `num_convs` 3x3 convolutions with padding 1, then `num_1x1` 1x1
    convolutions, each followed by a ReLU, then 2x2 max-pooling with stride 2.
    Networks that are not made of such blocks leave `blocks` empty and list
    their convolutions and poolings in `layers`.

    After these come one fully connected layer per width in `hidden`, each
    followed by dropout, and the output layer. With `dropout=0` there are no
    dropout layers at all. `batch_norm` puts a batch normalization between
    each convolution and its ReLU; `lrn` puts a local response normalization
    between the convolutions and the pooling of the first block (A-LRN).
    `letter` is the column of Table 1 of the VGG paper (Simonyan and
    Zisserman, 2014).

    Raises ValueError when a size is not a positive integer, when a block is
    not a pair or triple, or when there is no layer at all.
    """

    name: str
    blocks: tuple = ()
    letter: str = ''
    batch_norm: bool = False
    lrn: bool = False
    hidden: tuple = (4096, 4096)
    dropout: float = 0.5
    layers: tuple = ()

    def __post_init__(self):
        # Lists are turned into tuples, so that what was read from JSON equals
        # what was written
        blocks = _sequence(self.blocks, 'blocks')
        layers = _sequence(self.layers, 'layers')
        hidden = _sequence(self.hidden, 'hidden')
        if bool(blocks) == bool(layers):
            raise ValueError(
                f'the architecture {self.name!r} needs either blocks such as '
                f'{_EXAMPLE} or layers, but has '
                + ('both' if blocks else 'neither')
            )
        if (
            isinstance(self.dropout, bool)
            or not isinstance(self.dropout, numbers.Real)
            or not 0 <= self.dropout < 1
        ):
            raise ValueError(
                'dropout is the share of units set to zero, at least 0 and '
                f'below 1, not {self.dropout!r}'
            )
        triples = [_triple(i, block) for i, block in enumerate(blocks, 1)]
        widths = [_size(width, 'a width in hidden') for width in hidden]
        # A frozen dataclass can be assigned to in no other way
        object.__setattr__(self, 'blocks', tuple(triples))
        object.__setattr__(self, 'hidden', tuple(widths))
        object.__setattr__(
            self, 'layers', tuple(Spec(*row) for row in layers)
        )


class Layer(NamedTuple):
    """A layer once its input is known; shapes are without the minibatch.

    `name`: unique in its network, such as conv3_2 (the second convolution of
    the third block).
    `kind`: 'conv 3x3' (or another kernel), 'batch norm', 'lrn', 'max pool',
    'avg pool', 'dense' or 'dropout'. A ReLU or sigmoid has no row of its
    own, nor has the flattening before the first dense layer.
    `block`: index of the child of the whole network that the layer belongs
    to, counted from 0 as in the book's MXNet code: every VGG block is one
    child, and every other layer is one.
    `output_shape`: (channels, height, width), or (units,).
    `num_params`: weights and biases; for a batch norm the scale and shift,
    not the running mean and variance, which no gradient trains.
    `macs`: multiply-adds of convolutions and dense layers for one image,
    without adding the biases; 0 for the other kinds.
    `activations`: numbers in the layer's output for one image.
    """

    name: str
    kind: str
    block: int
    output_shape: tuple
    num_params: int
    macs: int
    activations: int


class Totals(NamedTuple):
    """Sums over the layers of a network, for one image.

    `conv_params` includes the batch norms', so `conv_params + dense_params`
    is `num_params`, as `conv_macs + dense_macs` is `macs`. `activations`
    counts every row of `summary`, dropout's among them since training makes
    an array for it; the input image, a ReLU or sigmoid (done in place), and
    the flattening (a view) are not counted.
    """

    num_params: int
    macs: int
    conv_params: int
    dense_params: int
    conv_macs: int
    dense_macs: int
    activations: int


def _sequence(value, what):
    if isinstance(value, str):
        raise ValueError(f'{what} must be a tuple, not the text {value!r}')
    try:
        return tuple(value)
    except TypeError:
        raise ValueError(f'{what} must be a tuple, not {value!r}') from None


def _size(value, what, least=1):
    """Return `value` as an int, NumPy's integers included."""
    try:
        # True would pass for the integer 1
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None or number < least:
        sort = 'a positive integer' if least else 'an integer from 0 up'
        raise ValueError(f'{what} must be {sort}, not {value!r}')
    return number


def _triple(i, block):
    if not isinstance(block, (tuple, list)) or len(block) not in (2, 3):
        raise ValueError(
            f'block {i} must be a pair (num_convs, num_channels) or a triple '
            f'(num_convs, num_channels, num_1x1), not {block!r}; '
            f'an example of a whole architecture is {_EXAMPLE}'
        )
    num_convs, num_channels, num_1x1 = (*block, 0)[:3]
    return (
        _size(num_convs, f'num_convs of block {i}'),
        _size(num_channels, f'num_channels of block {i}'),
        _size(num_1x1, f'num_1x1 of block {i}', least=0),
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


def get(arch):
    """Return the Architecture that `arch` stands for.

    `arch` is a name of `FAMILY` or a letter of the paper (upper and lower
    case, '-', '_' and blanks make no difference: 'VGG-11', 'vgg16 bn',
    'a-lrn'; 'small' is vgg_small), a tuple of pairs as in the book, or an
    Architecture. A tuple that equals a plain member of the family comes back
    under that member's name, any other under the name 'custom'.

    Raises ValueError for an unknown name, with the known ones and the
    nearest, and for a tuple that is not an architecture.
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
    custom = Architecture('custom', arch)
    for known in FAMILY.values():
        if known == replace(custom, name=known.name, letter=known.letter):
            return known
    return custom


def get_vgg(arch):
    """Return the Architecture that `arch` stands for, one built of blocks.

    Raises ValueError as `get` does, and for lenet and alexnet.
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
    aliases = {squeeze(letter): name for letter, name in letters.items()}
    known = {**names, **aliases, 'small': 'vgg_small'}
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


def _vgg_block(i, block, batch_norm, lrn):
    """Return the layers of the `i`-th block, counted from 1."""
    num_convs, num_channels, num_1x1 = block
    kernels = [3] * num_convs + [1] * num_1x1
    specs = []
    for j, kernel in enumerate(kernels, start=1):
        specs.append(
            Spec(
                f'conv{i}_{j}',
                f'conv {kernel}x{kernel}',
                num_channels,
                kernel,
                padding=kernel // 2,
            )
        )
        if batch_norm:
            specs.append(Spec(f'norm{i}_{j}', 'batch norm'))
    if lrn:
        specs.append(Spec(f'lrn{i}', 'lrn'))
    specs.append(Spec(f'pool{i}', 'max pool', kernel=2, stride=2))
    return specs


def _children(arch, num_classes=10):
    """Return the children of the whole network, each a list of `Spec`."""
    children = [
        _vgg_block(i, block, arch.batch_norm, lrn=arch.lrn and i == 1)
        for i, block in enumerate(arch.blocks, start=1)
    ]
    children += [[spec] for spec in arch.layers]
    for i, width in enumerate(arch.hidden, start=1):
        children.append([Spec(f'dense{i}', 'dense', width)])
        if arch.dropout:
            children.append([Spec(f'dropout{i}', 'dropout')])
    last = f'dense{len(arch.hidden) + 1}'
    children.append([Spec(last, 'dense', num_classes)])
    return children


def smallest_input(arch):
    """Return the smallest height, equal to the smallest width, that fits."""
    size = 1
    # Backwards, from one pixel after the last pooling to the input
    for child in reversed(_children(get(arch))):
        for spec in reversed(child):
            size = (size - 1) * spec.stride + spec.kernel - 2 * spec.padding
    return size


def _check_input(arch, input_shape):
    shape = _sequence(input_shape, 'input_shape')
    if len(shape) != 3:
        raise ValueError(
            'input_shape must be (channels, height, width), '
            f'not {input_shape!r}'
        )
    words = ('channels', 'height', 'width')
    shape = tuple(
        _size(n, f'{word} of the input') for n, word in zip(shape, words)
    )
    smallest = smallest_input(arch)
    if min(shape[1:]) < smallest:
        raise ValueError(
            f'an input of {shape[1]} x {shape[2]} is too small for '
            f'{arch.name}: the smallest that fits is {smallest} x {smallest}'
        )
    return shape


def summary(arch, input_shape=(1, 224, 224), num_classes=10):
    """Return a `Layer` for every layer of the network, in forward order.

    `arch` is anything that `get` takes; `input_shape` is (channels, height,
    width) and need not be square.

    Raises ValueError for an unknown architecture, for sizes that are not
    positive integers, and for an input that the poolings would shrink to
    nothing; the message then names the smallest that fits.
    """
    arch = get(arch)
    shape = _check_input(arch, input_shape)
    num_classes = _size(num_classes, 'num_classes')
    rows = []
    for block, child in enumerate(_children(arch, num_classes)):
        for spec in child:
            input_size, num_params, macs = shape[0], 0, 0
            if spec.kind == 'dense':
                macs = math.prod(shape) * spec.size
                num_params = macs + spec.size
                shape = (spec.size,)
            elif spec.kind == 'batch norm':
                num_params = 2 * input_size
            elif spec.kind != 'dropout':
                shape = (spec.size or input_size,) + tuple(
                    (n + 2 * spec.padding - spec.kernel) // spec.stride + 1
                    for n in shape[1:]
                )
            if spec.kind.startswith('conv'):
                weights = input_size * spec.kernel**2 * spec.size
                num_params = weights + spec.size
                macs = weights * shape[1] * shape[2]
            rows.append(
                Layer(
                    spec.name,
                    spec.kind,
                    block,
                    shape,
                    num_params,
                    macs,
                    math.prod(shape),
                )
            )
    return rows


def totals(arch, input_shape=(1, 224, 224), num_classes=10):
    """Return the `Totals` of a network; arguments and errors as `summary`."""
    rows = summary(arch, input_shape, num_classes)
    dense = [row for row in rows if row.kind == 'dense']
    conv = [row for row in rows if row.kind != 'dense']
    conv_params = sum(row.num_params for row in conv)
    dense_params = sum(row.num_params for row in dense)
    conv_macs = sum(row.macs for row in conv)
    dense_macs = sum(row.macs for row in dense)
    return Totals(
        conv_params + dense_params,
        conv_macs + dense_macs,
        conv_params,
        dense_params,
        conv_macs,
        dense_macs,
        sum(row.activations for row in rows),
    )


def activation_bytes(
    arch, input_shape, batch_size, num_classes=10, itemsize=4
):
    """Return the bytes that all layer outputs of a minibatch take together.

    This is what a training step keeps for its backward pass, at `itemsize`
    bytes a number (4 for float32). Not in it: the minibatch itself, the
    parameters and their gradients, and what a framework allocates besides
    (gradients of activations, dropout masks, work space).
    """
    batch_size = _size(batch_size, 'batch_size')
    itemsize = _size(itemsize, 'itemsize')
    activations = totals(arch, input_shape, num_classes).activations
    return activations * batch_size * itemsize


def _macs(number):
    """Write a number of multiply-adds with four digits, in M or G."""
    unit, name = (1e9, 'G') if number >= 1e9 else (1e6, 'M')
    digits = 3 if number < 10 * unit else 2 if number < 100 * unit else 1
    return f'{number / unit:.{digits}f} {name}'


def _memory(number):
    """Write a number of bytes in MiB or GiB."""
    unit, name = (2**30, 'GiB') if number >= 2**30 else (2**20, 'MiB')
    return f'{number / unit:.{1 if number < 100 * unit else 0}f} {name}'


def _shape(shape):
    return ' x '.join(map(str, shape))


def _lay_out(rows, left, markdown=False):
    """Align rows of text, headers first; the first `left` columns to left."""
    widths = [max(map(len, column)) for column in zip(*rows)]

    def line(row):
        cells = [
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths))
        ]
        if markdown:
            return '| ' + ' | '.join(cells) + ' |'
        return '  '.join(cells).rstrip()

    lines = [line(row) for row in rows]
    if markdown:
        rules = [
            '-' * width if i < left else '-' * (width - 1) + ':'
            for i, width in enumerate(widths)
        ]
        lines.insert(1, line(rules))
    return '\n'.join(lines)


def table(
    archs,
    input_shape=(1, 224, 224),
    num_classes=10,
    batch_size=128,
    markdown=False,
):
    """Return a text that holds architectures against one another.

    One line for each of `archs` (names, letters, tuples or Architectures):
    layers with weights, parameters, multiply-adds for one image, for both
    the part in dense layers, and the memory of `activation_bytes`. A last
    line tells what they were counted for. Errors as in `summary`.
    """
    rows = [
        (
            'network',
            'paper',
            'layers',
            'parameters',
            'in dense',
            'mult-adds',
            'in dense',
            'memory',
        )
    ]
    archs = [get(arch) for arch in _sequence(archs, 'archs')]
    for arch in archs:
        layers = summary(arch, input_shape, num_classes)
        with_weights = [row for row in layers if row.macs]
        total = totals(arch, input_shape, num_classes)
        memory = activation_bytes(arch, input_shape, batch_size, num_classes)
        rows.append(
            (
                arch.name,
                arch.letter,
                str(len(with_weights)),
                str(total.num_params),
                str(total.dense_params),
                _macs(total.macs),
                _macs(total.dense_macs),
                _memory(memory),
            )
        )
    return (
        f'{_lay_out(rows, left=2, markdown=markdown)}\n\n'
        f'For an input of {_shape(input_shape)} and {num_classes} classes; '
        'multiply-adds for one image,\nmemory of all layer outputs for a '
        f'minibatch of {batch_size} in float32.'
    )


def summary_table(arch, input_shape=(1, 224, 224), num_classes=10):
    """Return a text with one line for every layer, and the totals.

    Arguments and errors as in `summary`; multiply-adds are in millions, for
    one image.
    """
    arch = get(arch)
    layers = summary(arch, input_shape, num_classes)
    total = totals(arch, input_shape, num_classes)
    conv_activations = sum(
        row.activations for row in layers if len(row.output_shape) == 3
    )
    rows = [
        ('layer', 'kind', 'output', 'parameters', 'mult-adds', 'activations'),
        ('input', '', _shape(input_shape), '', '', ''),
    ]

    def add(name, kind, output, num_params, macs, activations):
        macs = f'{macs / 1e6:.3f} M'
        rows.append(
            (name, kind, output, str(num_params), macs, str(activations))
        )

    for name, kind, _, output_shape, *counts in layers:
        add(name, kind, _shape(output_shape), *counts)
    add(
        'conv part',
        '',
        '',
        total.conv_params,
        total.conv_macs,
        conv_activations,
    )
    add(
        'dense part',
        '',
        '',
        total.dense_params,
        total.dense_macs,
        total.activations - conv_activations,
    )
    add('total', '', '', total.num_params, total.macs, total.activations)
    lines = _lay_out(rows, left=3).split('\n')
    rule = '-' * max(map(len, lines))
    lines.insert(-3, rule)
    lines.insert(1, rule)
    letter = f', column {arch.letter} of the VGG paper' if arch.letter else ''
    return '\n'.join([f'{arch.name}{letter}', *lines])
