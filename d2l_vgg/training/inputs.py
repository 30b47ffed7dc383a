"""Why a network of the family cannot take an image, in one sentence.

A framework tells what one of its operations met; a reader asks what is wrong
with his images. What is known of a network before its operations are called
is the same in every framework.
"""

from __future__ import annotations

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
    left to its framework. It costs next to nothing as long as all goes well.

    Args:
        model: a `Classifier`
        X: an array of any framework
        channels_last: whether the channels are its last axis

    Raises:
        WrongInput: `X` is empty, or its shape does not fit.
    """
    arch, shape = getattr(model, 'arch', None), getattr(X, 'shape', None)
    if shape is None or not isinstance(arch, Architecture) or not arch.blocks:
        yield
        return
    sizes = checked_sizes(arch, tuple(shape), channels_last)
    loaded = model.loaded()
    if loaded:  # It stays, for images that do fit
        shapes = {name: array.shape for name, array in loaded.items()}
        refuse(shape, find_reason(arch, shapes, sizes))
    try:
        yield
    except WrongInput:
        raise
    except Exception as error:
        reason = find_reason(arch, model.shapes(), sizes)
        if reason is None:
            raise
        raise WrongInput(told(shape, reason)) from error


@functools.lru_cache(maxsize=64)
def checked_sizes(arch, shape, channels_last):
    """Return channels, height and width of a minibatch of this shape.

    Raises:
        WrongInput: a network of these blocks takes none of that shape.
    """
    axes = [0, 3, 1, 2] if channels_last else [0, 1, 2, 3]
    if len(shape) != 4:
        names = ', '.join(AXES[axes.index(i)] for i in range(4))
        refuse(shape, f'it takes ({names})')
    if 0 in shape:
        raise WrongInput(
            f'X has the shape {shape}, which holds no example: leave such a '
            'minibatch out.'
        )
    _, channels, *sides = [shape[i] for i in axes]
    smallest = costs.smallest_input(arch)
    # A graph may not know them yet
    if any(n is not None and n < smallest for n in sides):
        refuse(
            shape, f'the smallest images that fit are {smallest} x {smallest}'
        )
    return (channels, *sides)


def refuse(shape, reason):
    """Refuse what is not fit for this reason; None is none."""
    if reason is not None:
        raise WrongInput(told(shape, reason))


def told(shape, reason):
    return (
        f'X has the shape {tuple(shape)}, which does not fit this network: '
        f'{reason}.'
    )


def find_reason(arch, shapes, sizes):
    """Return why parameters of these shapes do not fit images of these sizes.

    Args:
        arch: an `Architecture` of VGG blocks
        shapes: name -> shape of the parameters, None for what is not known
        sizes: channels, height and width

    Returns:
        A part of a sentence, None where they fit.
    """
    channels, *sides = sizes
    if (
        not {'conv1_1.weight', 'dense1.weight'} <= set(shapes)
        or None in sizes
    ):
        return None
    drawn = shapes['conv1_1.weight'][1]
    if drawn not in (None, channels):
        return f'its conv1_1 was drawn for {drawn} channels, not {channels}'
    units = shapes['dense1.weight'][1]
    last = (arch.blocks[-1][1], *(n // 2 ** len(arch.blocks) for n in sides))
    if units not in (None, math.prod(last)):
        return (
            f'its dense1 was drawn for {units} numbers of each image and '
            f'gets {last}; take images of the size that it was drawn with'
        )
    return None
