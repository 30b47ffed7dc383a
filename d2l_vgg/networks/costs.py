"""What a network costs: output shapes, parameters, multiply-adds, memory.

All is counted from an architecture and an input shape alone, layer by layer,
without any framework.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from d2l_vgg import limits
from d2l_vgg.networks.architectures import get, layers_of

# (channels, height, width) of what the book trains with
BOOK_INPUT = (1, 224, 224)

# MiB of the framework itself with the data, and how often it holds its
# parameters, the outputs of all layers, and those of the largest once more,
# in float32: fitted to peaks of resident memory (MXNet 1.9.1, PyTorch 2.13.0,
# TensorFlow 2.21.0, JAX 0.10.2; Python 3.11, Linux x86-64)
MEMORY = {
    'mxnet': (258, 4.1, 1.2, 3.7),
    'torch': (374, 2.4, 1.1, 3.4),
    'tensorflow': (780, 3.3, 1.55, 0),
    'jax': (510, 2.1, 1.6, 0),
    'gpu': (0, 2, 1, 0),
}
# The first block stays in float32, and what is cast is there twice
IN_BFLOAT16 = 0.85


class Layer(NamedTuple):
    """A layer once its input is known; shapes are without the minibatch.

    `name`: unique in its network, such as conv3_2 (the second convolution of
    the third block).
    `kind`: 'conv 3x3' (or another kernel), 'batch norm', 'lrn', 'max pool',
    'avg pool', 'dense' or 'dropout'; activations and the flattening have no
    row.
    `output_shape`: (channels, height, width), or (units,).
    `num_params`: what is trained: no running mean and variance.
    `macs`: multiply-adds of convolutions and dense layers for one image,
    without adding the biases; 0 for the other kinds.
    """

    name: str
    kind: str
    output_shape: tuple
    num_params: int
    macs: int

    @property
    def activations(self) -> int:
        """Numbers in the layer's output for one image."""
        return math.prod(self.output_shape)


class Totals(NamedTuple):
    """Sums over the layers of a network, for one image.

    `conv_params`: of convolutions and batch norms.
    `activations`: of the rows of `summary`, so without the input, the ReLUs
    (done in place) and the flattening (a view).
    """

    conv_params: int
    dense_params: int
    conv_macs: int
    dense_macs: int
    activations: int

    @property
    def num_params(self) -> int:
        return self.conv_params + self.dense_params

    @property
    def macs(self) -> int:
        return self.conv_macs + self.dense_macs


def _check_input(arch, input_shape):
    if not isinstance(input_shape, (tuple, list)) or len(input_shape) != 3:
        raise ValueError(
            'input_shape must be (channels, height, width), '
            f'not {input_shape!r}'
        )
    channels, height, width = (
        limits.check(f'{word} of the input', size, int, above=0)
        for word, size in zip(('channels', 'height', 'width'), input_shape)
    )
    smallest = arch.smallest_input
    if min(height, width) < smallest:
        raise ValueError(
            f'An input of {height} x {width} is too small for '
            f'{arch.name}: the smallest that fits is {smallest} x {smallest}.'
        )
    return channels, height, width


def summary(
    arch: Any, input_shape: Sequence[int] = BOOK_INPUT, num_classes: int = 10
) -> list[Layer]:
    """Return a `Layer` for every layer of the network, in forward order.

    Args:
        arch: anything that `get` takes
        input_shape: (channels, height, width), which need not be square
        num_classes: units of the last layer

    Raises:
        ValueError: the architecture is unknown, a size is no positive
            integer, or the poolings would shrink the input to nothing.
    """
    arch = get(arch)
    shape = _check_input(arch, input_shape)
    limits.check('num_classes', num_classes, int, above=0)
    rows = []
    for spec in layers_of(arch, num_classes):
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
        rows.append(Layer(spec.name, spec.kind, shape, num_params, macs))
    return rows


def totals(
    arch: Any, input_shape: Sequence[int] = BOOK_INPUT, num_classes: int = 10
) -> Totals:
    """Return the `Totals` of a network; arguments and errors as `summary`."""
    return _add(summary(arch, input_shape, num_classes))


def _add(rows):
    dense = [row for row in rows if row.kind == 'dense']
    conv = [row for row in rows if row.kind != 'dense']
    return Totals(
        sum(row.num_params for row in conv),
        sum(row.num_params for row in dense),
        sum(row.macs for row in conv),
        sum(row.macs for row in dense),
        sum(row.activations for row in rows),
    )


def training_bytes(
    framework, arch, input_shape, batch_size, num_classes, momentum, precision
):
    """Return about the most bytes that training in `framework` takes.

    'gpu' is the least on a GPU: parameters, gradients, outputs of layers.
    """
    own, params, outputs, largest = MEMORY[framework]
    layers = summary(arch, input_shape, num_classes)
    total = _add(layers)
    params = (params + bool(momentum)) * total.num_params
    outputs *= total.activations
    outputs += largest * max(layer.activations for layer in layers)
    if precision == 'bfloat16':
        outputs *= IN_BFLOAT16
    return own * 2**20 + round(4 * (params + batch_size * outputs))


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


def columns(rows, num_left, markdown=False):
    """Return the text of a table, its first columns flush left."""
    # Not at the top: `doctor` runs where it is missing
    from tabulate import tabulate

    return tabulate(
        rows,
        headers='firstrow' if markdown else (),
        tablefmt='pipe' if markdown else 'plain',
        colalign=['left'] * num_left + ['right'] * (len(rows[0]) - num_left),
        disable_numparse=True,
        preserve_whitespace=True,
    )


def table(
    archs: Sequence[Any],
    input_shape: Sequence[int] = BOOK_INPUT,
    num_classes: int = 10,
    batch_size: int = 128,
    markdown: bool = False,
) -> str:
    """Return a text that holds architectures against one another.

    A line for each of `archs`: layers with weights, parameters and
    multiply-adds for one image, with those in dense layers, and the memory
    that all layer outputs of a minibatch take. Errors as in `summary`.
    """
    limits.check('batch_size', batch_size, int, above=0)
    head = 'network', 'paper', 'layers', 'parameters', 'in dense'
    rows: list[tuple] = [(*head, 'mult-adds', 'in dense', 'memory')]
    for arch in map(get, archs):
        layers = summary(arch, input_shape, num_classes)
        total = _add(layers)
        num_layers = sum(row.macs > 0 for row in layers)
        params = total.num_params, total.dense_params
        macs = _macs(total.macs), _macs(total.dense_macs)
        memory = memory_text(4 * batch_size * total.activations)
        about = arch.name, arch.letter, num_layers
        rows.append((*about, *params, *macs, memory))
    return (
        f'{columns(rows, 2, markdown)}\n\n'
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
    total = _add(layers)
    rows = [
        ('layer', 'kind', 'output', 'parameters', 'mult-adds', 'activations'),
        ('input', '', _shape(input_shape), '', '', ''),
    ]

    def add(name, params, macs, activations, kind='', output=()):
        macs = f'{macs / 1e6:.3f} M'
        rows.append((name, kind, _shape(output), params, macs, activations))

    for name, kind, output, num_params, macs in layers:
        add(name, num_params, macs, math.prod(output), kind, output)
    dense = sum(x.activations for x in layers if len(x.output_shape) == 1)
    conv = total.activations - dense
    add('conv part', total.conv_params, total.conv_macs, conv)
    add('dense part', total.dense_params, total.dense_macs, dense)
    add('total', total.num_params, total.macs, total.activations)
    lines = columns(rows, 3).splitlines()
    rule = '-' * max(map(len, lines))
    lines.insert(-3, rule)
    lines.insert(1, rule)
    letter = f', column {arch.letter} of the VGG paper' if arch.letter else ''
    return '\n'.join([f'{arch.name}{letter}', *lines])
