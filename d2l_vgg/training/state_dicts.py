"""Parameters under the names that others gave them, and by our own.

A state dict is what PyTorch calls name -> array. Those that torchvision
publishes of its VGGs are understood, whatever file they came in.
"""

from __future__ import annotations

import numpy as np

from d2l_vgg.foreign_text import visible
from d2l_vgg.networks import torchvision_names
from d2l_vgg.networks.architectures import Architecture
from d2l_vgg.networks.names import (
    architecture_of,
    has_shape,
    parameter_names,
)
from d2l_vgg.training import parameters
from d2l_vgg.training.arrays import Arrays

# What PyTorch's DataParallel puts before every name
PARALLEL = 'module.'


def understood(path: str, state: Arrays) -> tuple[Architecture, Arrays]:
    """Return the network of a state dict, and its parameters by our names.

    Args:
        path: where it comes from, for the messages
        state: name -> array; the names are torchvision's, or ours

    Raises:
        ValueError: it is that of another network, or holds what cannot be.
    """
    if state and all(name.startswith(PARALLEL) for name in state):
        state = {n[len(PARALLEL) :]: array for n, array in state.items()}
    state = {
        name: array
        for name, array in state.items()
        if not name.endswith(torchvision_names.COUNTER)
    }
    for name, array in state.items():
        if array.dtype != 'float32':
            raise ValueError(
                f'The parameters in {path} must be in float32, but '
                f'{shown(name)} is in {array.dtype}: save them in that.'
            )
    nearest = torchvision_names.nearest(state)
    if nearest is None:
        return known(path, state)
    own = torchvision_names.torchvision_names(nearest)
    names = {theirs: name for name, theirs in own.items()}
    for theirs in [*names, *state]:
        if theirs not in state or theirs not in names:
            what = 'lacks' if theirs in names else 'has, besides,'
            raise ValueError(
                f"The parameters in {path} are not those of torchvision's "
                f'{nearest}: the file {what} {shown(theirs)}; take a whole '
                'file, of a network that torchvision has.'
            )
    arrays = {name: state[theirs] for name, theirs in own.items()}
    num_classes = (arrays['dense3.weight'].shape or (0,))[0]
    wanted = torchvision_names.torchvision_shapes(nearest, num_classes)
    for name, array in arrays.items():
        if not has_shape(array.shape, wanted[name]):
            sizes = ', '.join(str(n or 'any') for n in wanted[name])
            raise ValueError(
                f"The parameters in {path} are not those of torchvision's "
                f'{nearest}: {own[name]} has the shape {array.shape} and '
                f'must have ({sizes}).'
            )
    return known(path, arrays)


def known(path: str, arrays: Arrays) -> tuple[Architecture, Arrays]:
    """Return the network of parameters by our names, and these in order.

    Raises:
        ValueError: no network of VGG blocks has these, or they cannot be.
    """
    shapes = {name: array.shape for name, array in arrays.items()}
    try:
        arch = architecture_of(shapes)
    except ValueError as error:
        first = ', '.join(map(shown, list(arrays)[:3])) or 'nothing'
        raise ValueError(
            f'The parameters in {path} are not those of a VGG by '
            f"torchvision's names or by ours: they begin with {first}."
        ) from error
    arrays = {name: arrays[name] for name in parameter_names(arch)}
    parameters.check(path, arrays, shapes)
    return arch, arrays


def is_torchvisions(arch: Architecture, arrays: Arrays) -> bool:
    """Return whether torchvision has this network, for images of this size.

    The dense layers of torchvision's fit images of 224 x 224.
    """
    shapes = {name: array.shape for name, array in arrays.items()}
    return torchvision_names.has_network(arch, shapes)


def torchvisions(arch: Architecture, arrays: Arrays) -> Arrays:
    """Return torchvision's state dict of a network that `is_torchvisions`."""
    state = {}
    for name, theirs in torchvision_names.torchvision_names(arch).items():
        state[theirs] = arrays[name]
        layer, _, part = theirs.rpartition('.')
        if part == 'running_var':
            counter = f'{layer}.{torchvision_names.COUNTER}'
            state[counter] = np.zeros((), 'int64')
    return state


def shown(name: object) -> str:
    """Return a name that somebody else chose, as a message can hold it."""
    text = visible(name)
    return text if len(text) <= 60 else f'{text[:57]}...'
