"""The parameters of a network in a file, the same for every framework.

Names and layout are those of `d2l_vgg.networks.names`.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from d2l_vgg.networks.architectures import Architecture
from d2l_vgg.networks.names import has_shape
from d2l_vgg.training import arrays as files

# A size that a network does not know yet is None
Shape = tuple[int | None, ...]
Shapes = dict[str, Shape]


def save(path: str, arrays: files.Arrays, arch: Any = None) -> str:
    """Write the `arrays` of a network to `path`, and return their digest.

    With an `arch` of the family the file tells it, too; the digest is that
    of the arrays alone. Raises OSError as `arrays.save`.
    """
    known = isinstance(arch, Architecture)
    files.save(path, arrays, {'arch': asdict(arch)} if known else {})
    return files.digest(arrays, {})


def load(path: str, arch: Any = None) -> files.Arrays:
    """Return the arrays that `save` wrote to `path`; errors are those of VGG.

    Of `arch`, `lrn` must be the same, which no shape tells.
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


def check_numbers(arrays: files.Arrays, where: str = '') -> None:
    """Raise ValueError for a number that cannot be; `where` it is."""
    name = find_impossible(arrays)
    if name:
        raise ValueError(
            f'The parameters{where} cannot be: {name} holds nan or inf, or a '
            'negative variance; train the network again, with a lower '
            'learning rate.'
        )


def find_impossible(arrays: files.Arrays) -> str:
    """Return the name of an array with nan, inf or a negative variance."""
    for name, array in arrays.items():
        negative = name.endswith('running_var') and (array < 0).any()
        if negative or not np.isfinite(array).all():
            return name
    return ''


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
    except files.BadArrays as error:
        way = 'copy it again, or train the network again'
        if isinstance(error, files.ForeignArrays):
            way = f'turn it into ours by `d2l-vgg convert {path} '
            way += 'new.safetensors`'
        raise ValueError(f'The file of parameters {error}: {way}.') from error


def check_match(
    path: str,
    arrays: files.Arrays,
    expected: Mapping[str, Shape | None],
    network: str = 'this one',
) -> None:
    """Refuse parameters, name -> array, that are not those of a network.

    `expected` has its shapes, name -> shape, with None for a size that is
    not known yet; `path` and `network` are for the message. Raises
    ValueError where a name, a shape or a type differs, or a number cannot be.
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
    check_numbers(arrays, f' in {path}')


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
