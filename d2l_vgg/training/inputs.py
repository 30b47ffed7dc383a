"""Why a network of the family cannot take an image, in one sentence."""

import contextlib
import functools
import math
from collections.abc import Iterator
from typing import Any

from d2l_vgg.networks import costs
from d2l_vgg.networks.architectures import Architecture

AXES = ('batch_size', 'num_channels', 'height', 'width')


class WrongInput(ValueError):
    """A network cannot take such an input."""


@contextlib.contextmanager
def explained(model: Any, X: Any, channels_last: bool = False) -> Iterator:
    """Say why `model` cannot take `X`: before the body, or where that fails.

    The body is the forward pass. A model without an `arch` of VGG blocks is
    left to its framework.

    Raises:
        WrongInput: `X` is empty, or its shape does not fit.
    """
    arch, shape = getattr(model, 'arch', None), getattr(X, 'shape', None)
    if shape is None or not isinstance(arch, Architecture) or not arch.blocks:
        yield
        return
    shape = tuple(shape)
    sizes = checked_sizes(arch, shape, channels_last)
    loaded = model.loaded()
    if loaded:  # It stays, for images that do fit
        shapes = {name: array.shape for name, array in loaded.items()}
        reason = find_reason(arch, shapes, sizes)
        if reason:
            raise misfit(shape, reason)
    try:
        yield
    except WrongInput:
        raise
    except Exception as error:
        reason = find_reason(arch, model.shapes(), sizes)
        if reason is None:
            raise
        raise misfit(shape, reason) from error


@functools.lru_cache(maxsize=64)
def checked_sizes(arch, shape, channels_last):
    """Return channels, height and width; WrongInput if none can fit."""
    axes = [0, 3, 1, 2] if channels_last else [0, 1, 2, 3]
    if len(shape) != 4:
        names = ', '.join(AXES[axes.index(i)] for i in range(4))
        raise misfit(shape, f'it takes ({names})')
    if 0 in shape:
        raise WrongInput(
            f'X has the shape {shape}, which holds no example: leave such a '
            'minibatch out.'
        )
    _, channels, height, width = [shape[i] for i in axes]
    least = costs.smallest_input(arch)
    # A graph may not know them yet
    if any(n is not None and n < least for n in (height, width)):
        raise misfit(
            shape, f'the smallest images that fit are {least} x {least}'
        )
    return channels, height, width


def misfit(shape, reason):
    return WrongInput(
        f'X has the shape {shape}, which does not fit this network: {reason}.'
    )


def find_reason(arch, shapes, sizes):
    """Return why parameters of these shapes do not fit images, or None.

    `sizes` are channels, height and width of the images.
    """
    known = {'conv1_1.weight', 'dense1.weight'} <= set(shapes)
    if not known or None in sizes:
        return None
    channels, height, width = sizes
    drawn = shapes['conv1_1.weight'][1]
    if drawn not in (None, channels):
        return f'its conv1_1 was drawn for {drawn} channels, not {channels}'
    units = shapes['dense1.weight'][1]
    halved = 2 ** len(arch.blocks)
    last = arch.blocks[-1][1], height // halved, width // halved
    if units not in (None, math.prod(last)):
        return (
            f'its dense1 was drawn for {units} numbers of each image and '
            f'gets {last}; take images of the size that it was drawn with'
        )
    return None
