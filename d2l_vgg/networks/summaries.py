"""The table of a model's layers, whatever framework it is in.

A framework tells by a `Row` what each layer gives and costs; how that looks
is the same for all.
"""

from typing import NamedTuple

from tabulate import tabulate

# Parts that have a number of their own even where a block has only one
COUNTED = ('conv', 'norm')


class Row(NamedTuple):
    """A layer of a model, or a part of such a layer.

    `name`: of its class; for a part, one of 'conv', 'norm', 'lrn', 'pool',
    'dense' and 'dropout' where it is such a layer.
    `output_shape`: that of a real forward pass, the minibatch first; None
    for parameters that belong to no layer.
    `num_params`: trainable parameters that no row before has counted.
    `macs`: multiply-adds for one image, those of convolutions and dense
    layers without adding the biases; None where they are not known.
    `parts`: a row for each layer inside, in the order of the forward pass.
    """

    name: str
    output_shape: tuple | None
    num_params: int
    macs: int | None
    parts: tuple = ()


def table(rows, details=False):
    """Return the text that shows the rows and, with `details`, their parts.

    The second convolution of the third layer is called conv3_2. Where the
    multiply-adds are not known, a '-' stands for them and for their sum.
    """
    cells = [('', 'parameters', 'mult-adds')]
    for i, row in enumerate(rows, start=1):
        cells.append(_cells(row, row.name))
        if details:
            names = _names_of_parts(i, row.parts)
            for name, part in zip(names, row.parts):
                cells.append(_cells(part, f'    {name}'))
    total = Row('Total', None, sum(row.num_params for row in rows), add(rows))
    cells.append(_cells(total, total.name))
    return tabulate(
        cells,
        tablefmt='plain',
        colalign=['left', 'right', 'right'],
        disable_numparse=True,
        preserve_whitespace=True,
    )


def add(rows):
    """Return the sum of the multiply-adds, None where one is not known."""
    macs = [row.macs for row in rows]
    return None if None in macs else sum(macs)


def _cells(row, name):
    if row.output_shape is not None:
        name = f'{name} output shape: {row.output_shape}'
    macs = '-' if row.macs is None else str(row.macs)
    return name, str(row.num_params), macs


def _names_of_parts(i, parts):
    """Return conv3_1, conv3_2, pool3 for the parts of the third layer."""
    names = [part.name for part in parts]
    numbered, count = [], {}
    for name in names:
        count[name] = count.get(name, 0) + 1
        if not name.islower():  # The name of a class
            numbered.append(name)
        elif name in COUNTED or names.count(name) > 1:
            numbered.append(f'{name}{i}_{count[name]}')
        else:
            numbered.append(f'{name}{i}')
    return numbered
