"""The table of a model's layers, whatever framework it is in."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from d2l_vgg.networks.costs import columns

# What a layer is called as a part, by what the name of its class holds
KINDS = {
    'responsenorm': 'lrn',
    'norm': 'norm',
    'conv': 'conv',
    'pool': 'pool',
    'dense': 'dense',
    'linear': 'dense',
    'dropout': 'dropout',
    'flatten': 'flatten',
    'relu': 'activation',
    'activation': 'activation',
}
# Parts that have a number of their own even where a block has only one
COUNTED = ('conv', 'norm')


class Row(NamedTuple):
    """A layer of a model, or a part of such a layer.

    `name`: of its class; for a part, one of 'conv', 'norm', 'lrn', 'pool',
    'dense' and 'dropout' where it is such a layer.
    `output_shape`: that of a real forward pass, the minibatch first; None
    for parameters that belong to no layer.
    `num_params`: trainable parameters that no row before has counted.
    `macs`: multiply-adds for one image; None where they are not known.
    `parts`: a row for each layer inside, in the order of the forward pass.
    """

    name: str
    output_shape: tuple | None
    num_params: int
    macs: int | None
    parts: tuple = ()


def rows(
    net: Any,
    X: Any,
    Sequential: Any,
    weights: Callable[[Any], list[tuple] | None],
    channels_last: bool = False,
) -> list[Row]:
    """Return a `Row` for each layer of `net`, called one after the other.

    Args:
        net: a layer of any framework, mostly a Sequential
        X: a minibatch that fits it
        Sequential: the framework's class, or a tuple of them
        weights: returns the shapes of all that is trained in a layer; None
            for a function, which gets no row
        channels_last: whether those of `X` are its last axis
    """

    def inside(layer):
        return getattr(layer, 'layers', layer)

    def run(layer, X):
        shapes, parts = weights(layer), []
        if isinstance(layer, Sequential):
            for part in inside(layer):
                row, X = run(part, X)
                if row and row.name != 'activation':
                    parts.append(row)
        else:
            X = layer(X)
        if shapes is None:
            return None, X
        name = type(layer).__name__
        known = [k for word, k in KINDS.items() if word in name.lower()]
        num_params = sum(map(math.prod, shapes))
        # A kernel is applied at each place of the output
        places = X.shape[1:-1] if channels_last else X.shape[2:]
        kernels = [math.prod(shape) for shape in shapes if len(shape) > 1]
        macs: int | None = sum(kernels) * math.prod(places)
        if parts:
            macs = add(parts)
        elif num_params and not known:
            macs = None
        name = known[0] if known else name
        return Row(name, tuple(X.shape), num_params, macs, tuple(parts)), X

    found = []
    for layer in inside(net) if isinstance(net, Sequential) else [net]:
        row, X = run(layer, X)
        if row is not None:
            name = re.sub('BFloat16|Hybrid', '', type(layer).__name__)
            found.append(row._replace(name=name))
    return found


def table(rows, details=False):
    """Return the text that shows the rows and, with `details`, their parts.

    The second convolution of the third layer is called conv3_2. Where the
    multiply-adds are not known, a '-' stands for them and for their sum.
    """
    cells = [('', 'parameters', 'mult-adds')]

    def show(name, row):
        if row.output_shape is not None:
            name = f'{name} output shape: {row.output_shape}'
        macs = '-' if row.macs is None else f'{row.macs:,}'
        cells.append((name, f'{row.num_params:,}', macs))

    for i, row in enumerate(rows, start=1):
        show(row.name, row)
        if details:
            for name, part in zip(_names_of_parts(i, row.parts), row.parts):
                show(f'    {name}', part)
    num_params = sum(row.num_params for row in rows)
    show('Total', Row('', None, num_params, add(rows)))
    return columns(cells, 1)


def add(rows):
    """Return the sum of the multiply-adds, None where one is not known."""
    macs = [row.macs for row in rows]
    return None if None in macs else sum(macs)


def _names_of_parts(i, parts):
    """Return conv3_1, conv3_2, pool3 for the parts of the third layer."""
    names = [part.name for part in parts]
    numbered = []
    for j, name in enumerate(names):
        if not name.islower():  # The name of a class
            numbered.append(name)
        elif name in COUNTED or names.count(name) > 1:
            numbered.append(f'{name}{i}_{names[: j + 1].count(name)}')
        else:
            numbered.append(f'{name}{i}')
    return numbered
