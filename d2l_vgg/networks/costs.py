"""What a network costs: output shapes, parameters, multiply-adds, memory.

All is counted from an architecture and an input shape alone, layer by layer,
without any framework.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from tabulate import tabulate

from d2l_vgg.networks.architectures import as_size, as_tuple, get, layers_of

# (channels, height, width) of what the book trains with
BOOK_INPUT = (1, 224, 224)


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


def smallest_input(arch: Any) -> int:
    """Return the smallest height, equal to the smallest width, that fits.

    `arch` is anything that `get` takes. Raises ValueError as `get` does.
    """
    size = 1
    # Backwards, from one pixel after the last pooling to the input
    for child in reversed(layers_of(get(arch))):
        for spec in reversed(child):
            size = (size - 1) * spec.stride + spec.kernel - 2 * spec.padding
    return size


def _check_input(arch, input_shape):
    shape = as_tuple(input_shape, 'input_shape')
    if len(shape) != 3:
        raise ValueError(
            'input_shape must be (channels, height, width), '
            f'not {input_shape!r}'
        )
    words = ('channels', 'height', 'width')
    shape = tuple(
        as_size(n, f'{word} of the input') for n, word in zip(shape, words)
    )
    smallest = smallest_input(arch)
    if min(shape[1:]) < smallest:
        raise ValueError(
            f'an input of {shape[1]} x {shape[2]} is too small for '
            f'{arch.name}: the smallest that fits is {smallest} x {smallest}'
        )
    return shape


def summary(
    arch: Any, input_shape: Sequence[int] = BOOK_INPUT, num_classes: int = 10
) -> list[Layer]:
    """Return a `Layer` for every layer of the network, in forward order.

    `arch` is anything that `get` takes; `input_shape` is (channels, height,
    width) and need not be square.

    Raises ValueError for an unknown architecture, for sizes that are not
    positive integers, and for an input that the poolings would shrink to
    nothing; the message then names the smallest that fits.
    """
    arch = get(arch)
    shape = _check_input(arch, input_shape)
    num_classes = as_size(num_classes, 'num_classes')
    rows = []
    for block, child in enumerate(layers_of(arch, num_classes)):
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


def totals(
    arch: Any, input_shape: Sequence[int] = BOOK_INPUT, num_classes: int = 10
) -> Totals:
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
    arch: Any,
    input_shape: Sequence[int],
    batch_size: int,
    num_classes: int = 10,
    itemsize: int = 4,
) -> int:
    """Return the bytes that all layer outputs of a minibatch take together.

    This is what a training step keeps for its backward pass, at `itemsize`
    bytes a number (4 for float32). Not in it: the minibatch itself, the
    parameters and their gradients, and what a framework allocates besides
    (gradients of activations, dropout masks, work space). Errors as in
    `summary`, and for `batch_size` and `itemsize` as for the other sizes.
    """
    batch_size = as_size(batch_size, 'batch_size')
    itemsize = as_size(itemsize, 'itemsize')
    activations = totals(arch, input_shape, num_classes).activations
    return activations * batch_size * itemsize


def training_bytes(
    arch,
    input_shape,
    batch_size,
    num_classes=10,
    momentum=False,
    itemsize=4,
):
    """Return the bytes that training takes at the least, in any framework.

    These are the parameters, their gradients and, with `momentum`, what that
    remembers of each, all in float32, and the `activation_bytes`. A framework
    takes 1.4 to 2.3 times as much (MXNet on a CPU, networks of the family).
    Errors as in `activation_bytes`.
    """
    num_params = totals(arch, input_shape, num_classes).num_params
    return 4 * num_params * (3 if momentum else 2) + activation_bytes(
        arch, input_shape, batch_size, num_classes, itemsize
    )


def _macs(number):
    """Write a number of multiply-adds with four digits, in M or G."""
    unit, name = (1e9, 'G') if number >= 1e9 else (1e6, 'M')
    digits = 3 if number < 10 * unit else 2 if number < 100 * unit else 1
    return f'{number / unit:.{digits}f} {name}'


def memory_text(number):
    """Write a number of bytes in MiB or GiB."""
    unit, name = (2**30, 'GiB') if number >= 2**30 else (2**20, 'MiB')
    return f'{number / unit:.{1 if number < 100 * unit else 0}f} {name}'


def _shape(shape):
    return ' x '.join(map(str, shape))


def table(
    archs: Sequence[Any],
    input_shape: Sequence[int] = BOOK_INPUT,
    num_classes: int = 10,
    batch_size: int = 128,
    markdown: bool = False,
) -> str:
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
    archs = [get(arch) for arch in as_tuple(archs, 'archs')]
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
                memory_text(memory),
            )
        )
    text = tabulate(
        rows,
        headers='firstrow' if markdown else (),
        tablefmt='pipe' if markdown else 'plain',
        colalign=['left'] * 2 + ['right'] * 6,
        disable_numparse=True,
    )
    return (
        f'{text}\n\n'
        f'For an input of {_shape(input_shape)} and {num_classes} classes; '
        'multiply-adds for one image,\nmemory of all layer outputs for a '
        f'minibatch of {batch_size} in float32.'
    )


def summary_table(
    arch: Any, input_shape: Sequence[int] = BOOK_INPUT, num_classes: int = 10
) -> str:
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
    text = tabulate(
        rows,
        tablefmt='plain',
        colalign=['left'] * 3 + ['right'] * 3,
        disable_numparse=True,
    )
    lines = text.splitlines()
    rule = '-' * max(map(len, lines))
    lines.insert(-3, rule)
    lines.insert(1, rule)
    letter = f', column {arch.letter} of the VGG paper' if arch.letter else ''
    return '\n'.join([f'{arch.name}{letter}', *lines])
