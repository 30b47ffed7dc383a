"""The parameters of a network in a file, the same for every framework.

They are kept under the names and in the layout of `d2l_vgg.networks.names`,
so that what one framework has trained, another can predict with.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from d2l_vgg.training import arrays as files

# A size that a network does not know yet is None
Shape = tuple[int | None, ...]
Shapes = dict[str, Shape]


def save(path: str, arrays: files.Arrays) -> str:
    """Write `arrays` (name -> NumPy array) to `path`; return their digest.

    Raises:
        OSError: the folder cannot be written or the disk is full; what was
            at `path` before is still there.
    """
    return files.save(path, arrays, {})


def load(path: str) -> files.Arrays:
    """Return the arrays that `save` wrote to `path`.

    Raises:
        ValueError: the file is damaged.
        OSError: it is not there, or cannot be read.
    """
    try:
        return files.load(path)[0]
    except files.BadArrays as error:
        raise ValueError(
            f'The file of parameters {error}: copy it anew, or train the '
            'network anew.'
        ) from error


def check(
    path: str, arrays: files.Arrays, expected: Mapping[str, Shape]
) -> None:
    """Refuse parameters that are not those of this network.

    Args:
        path: where they come from, for the message
        arrays: name -> array, as loaded
        expected: name -> shape, as the network has them; None stands for a
            size that it does not know yet

    Raises:
        ValueError: a name, a shape or a type differs, or a number cannot be.
    """
    for name in [*expected, *(set(arrays) - set(expected))]:
        found, wanted = describe(arrays.get(name)), expected.get(name)
        if wanted is None or not fits(arrays.get(name), wanted):
            raise ValueError(
                f'The parameters in {path} are of another network: {name} is '
                f'{found} there and {wanted or "missing"} in this one; take '
                'the network that they were trained with.'
            )
        if not np.isfinite(arrays[name]).all():
            raise ValueError(
                f'The parameters in {path} are not all numbers: {name} holds '
                'nan or inf; train the network anew.'
            )
        if name.endswith('running_var') and arrays[name].min() < 0:
            raise ValueError(
                f'The parameters in {path} cannot be: {name} holds a '
                'negative variance; train the network anew.'
            )


def check_digest(path: str, digest: str) -> None:
    """Refuse a file of parameters that is not the one which `save` wrote.

    Args:
        path: of the file
        digest: what `save` has returned

    Raises:
        ValueError: the file is damaged, or another.
        OSError: it cannot be read.
    """
    if files.digest(load(path), {}) != digest:
        raise ValueError(
            f'The parameters in {path} are not those that the run has ended '
            'with: copy them anew, or train the network anew.'
        )


def fits(array: np.ndarray | None, shape: Shape) -> bool:
    """Return whether `array` holds numbers in `shape`, None for any size."""
    return (
        array is not None
        and array.dtype == 'float32'
        and array.ndim == len(shape)
        and all(n in (None, m) for n, m in zip(shape, array.shape))
    )


def describe(array: np.ndarray | None) -> str:
    """Return shape and type of `array` in words, 'missing' for None."""
    return 'missing' if array is None else f'{array.shape} {array.dtype}'
