"""The parameters of a network in a file, the same for every framework.

Names and layout are those of `d2l_vgg.networks.names`.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from d2l_vgg.networks.architectures import Architecture
from d2l_vgg.networks.names import has_shape, parameter_shapes
from d2l_vgg.training import arrays as files
from d2l_vgg.training import errors

# A size that a network does not know yet is None
Shape = tuple[int | None, ...]
Shapes = dict[str, Shape]


class DrawnByImage:
    """Mixed into classifiers whose parameters are drawn for a first image.

    What is loaded before waits for it. A framework adds `is_drawn`, and
    `read_arrays`, `read_shapes` and `write_arrays` for what is drawn.
    """

    is_drawn: Any
    read_arrays: Any
    read_shapes: Any
    write_arrays: Any
    arch: Any
    num_classes: int
    waiting: files.Arrays = {}

    def arrays(self) -> files.Arrays:
        if self.is_drawn():
            return self.read_arrays()
        if self.waiting and set(self.waiting) == set(self.shapes()):
            return dict(self.waiting)
        raise errors.NotDrawn

    def shapes(self) -> Shapes:
        if self.is_drawn():
            return self.read_shapes()
        try:
            shapes = parameter_shapes(self.arch, self.num_classes)
        except (AttributeError, TypeError, ValueError):
            raise ValueError(
                f'What parameters {type(self).__name__} has is not known '
                'before it has seen an image: call model(X) first.'
            ) from None
        return {**shapes, **{n: a.shape for n, a in self.waiting.items()}}

    def load_arrays(self, arrays: files.Arrays) -> None:
        if self.is_drawn():
            self.write_arrays(arrays)
        else:
            self.waiting = {**self.waiting, **arrays}

    def take_up(self) -> None:
        """Put what waits in place of what has been drawn."""
        shapes = self.shapes()
        expected = {name: shapes.get(name) for name in self.waiting}
        check('the file', self.waiting, expected)
        self.write_arrays(self.waiting)
        self.waiting = {}


def outputs_first(array: Any) -> np.ndarray:
    """Return an array in the common layout, from one with outputs last."""
    axes = (3, 2, 0, 1) if array.ndim == 4 else None
    return np.ascontiguousarray(np.asarray(array).transpose(axes))


def outputs_last(array: np.ndarray) -> np.ndarray:
    """Return the array of which `outputs_first` has made this one."""
    return array.transpose((2, 3, 1, 0) if array.ndim == 4 else None)


def outputs_first_shape(shape: tuple) -> tuple:
    """Return the shape of what `outputs_first` makes of this one."""
    if len(shape) == 4:
        return (*shape[:1:-1], *shape[:2])
    return shape[::-1]


def save(path: str, arrays: files.Arrays, arch: Any = None) -> str:
    """Write the `arrays` of a network to `path`, and return their digest.

    With an `arch` of the family the file tells it, too; the digest is that
    of the arrays alone. Raises OSError as `arrays.save`.
    """
    known = isinstance(arch, Architecture)
    files.save(path, arrays, {'arch': asdict(arch)} if known else {})
    return files.digest(arrays, {})


def load(path: str, arch: Any = None) -> files.Arrays:
    """Return the arrays that `save` wrote to `path`.

    Raises:
        ValueError: the file is damaged, of another kind, or, as no shape
            tells, of a network with other layers than `arch`.
        OSError: it is not there, or cannot be read.
    """
    with explained(path):
        arrays, meta = files.load(path)
    lrn = meta.get('arch', {}).get('lrn')
    if isinstance(arch, Architecture) and lrn not in (None, arch.lrn):
        raise ValueError(
            f'The parameters in {path} are of another network: lrn is {lrn} '
            f'there and {arch.lrn} in this one; take the network that they '
            'were trained with.'
        )
    return arrays


def check_finite(arrays: files.Arrays) -> None:
    """Raise ValueError unless all are finite; a finite loss may hide it."""
    name = find_not_finite(arrays)
    if name:
        raise ValueError(
            f'The parameters are not all numbers: {name} holds nan or inf; '
            'train the network again, with a lower learning rate.'
        )


def find_not_finite(arrays: files.Arrays) -> str:
    """Return the name of an array with nan or inf, '' if there is none."""
    bad = (name for name, a in arrays.items() if not np.isfinite(a).all())
    return next(bad, '')


def load_any(path: str) -> tuple[files.Arrays, dict[str, Any] | None]:
    """As `load`, for any file; with what it tells if `save` wrote it."""
    with explained(path):
        try:
            return files.load(path)
        except files.ForeignArrays:
            return files.load_foreign(path), None


@contextlib.contextmanager
def explained(path: str) -> Iterator[None]:
    """Say of damage that is found in this block what is to be done."""
    try:
        yield
    except files.ForeignArrays as error:
        raise ValueError(
            f'The file of parameters {error}: turn it into ours by `d2l-vgg '
            f'convert {path} new.safetensors`.'
        ) from error
    except files.BadArrays as error:
        raise ValueError(
            f'The file of parameters {error}: copy it again, or train the '
            'network again.'
        ) from error


def check(
    path: str,
    arrays: files.Arrays,
    expected: Mapping[str, Shape | None],
    network: str = 'this one',
) -> None:
    """Refuse parameters, name -> array, that are not those of a network.

    `expected` has its shapes, name -> shape, with None for a size that is
    not known yet; `path` and `network` are for the message.

    Raises:
        ValueError: a name, a shape or a type differs, or a number cannot be.
    """
    # A name that one of them lacks tells more than a shape
    names = {**expected, **arrays}
    for name in sorted(names, key=lambda n: n in expected and n in arrays):
        array, wanted = arrays.get(name), expected.get(name)
        if (
            array is None
            or array.dtype != 'float32'
            or not has_shape(array.shape, wanted)
        ):
            raise ValueError(
                f'The parameters in {path} are of another network: '
                f'{name:.60} is {describe(array)} there and '
                f'{wanted or "missing"} in {network}; take the network that '
                'they were trained with.'
            )
        if not np.isfinite(array).all():
            raise ValueError(
                f'The parameters in {path} are not all numbers: {name} holds '
                'nan or inf; train the network again.'
            )
        if name.endswith('running_var') and array.min() < 0:
            raise ValueError(
                f'The parameters in {path} cannot be: {name} holds a '
                'negative variance; train the network again.'
            )


def check_digest(path: str, digest: str) -> None:
    """Raise ValueError unless `save` returned this digest of the file."""
    if files.digest(load(path), {}) != digest:
        raise ValueError(
            f'The parameters in {path} are not those that the run has ended '
            'with: copy them again, or train the network again.'
        )


def describe(array: np.ndarray | None) -> str:
    """Return shape and type of `array` in words, 'missing' for None."""
    return 'missing' if array is None else f'{array.shape} {array.dtype}'
