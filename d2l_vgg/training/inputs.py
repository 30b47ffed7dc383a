"""Why a network of the family cannot take an image, in one sentence."""

import math
from typing import Any

from d2l_vgg.networks.architectures import Architecture

AXES = ('batch_size', 'num_channels', 'height', 'width')


class WrongInput(ValueError):
    """A network cannot take such an input."""


def check_shape(model: Any, shape: tuple, channels_last: bool) -> None:
    """Raise WrongInput unless `model` can take a minibatch of this shape.

    A model without an `arch` of VGG blocks is left to its framework.
    """
    arch = getattr(model, 'arch', None)
    if not isinstance(arch, Architecture) or not arch.blocks:
        return
    if 0 in shape:
        raise WrongInput(
            f'X has the shape {shape}, which holds no example: leave such a '
            'minibatch out.'
        )
    try:
        shapes = model.shapes()
    except (TypeError, ValueError):  # Not known before it has seen an image
        shapes = {}
    reason = find_reason(arch, shapes, shape, channels_last)
    if reason is not None:
        raise WrongInput(
            f'X has the shape {shape}, which does not fit this network: '
            f'{reason}.'
        )


def find_reason(arch, shapes, shape, channels_last):
    """Return why parameters of `shapes` do not fit images, or None."""
    axes = [0, 3, 1, 2] if channels_last else [0, 1, 2, 3]
    if len(shape) != 4:
        names = ', '.join(AXES[axes.index(i)] for i in range(4))
        return f'it takes ({names})'
    _, channels, height, width = [shape[i] for i in axes]
    least = arch.smallest_input
    # A graph may not know them yet
    if any(n is not None and n < least for n in (height, width)):
        return f'the smallest images that fit are {least} x {least}'
    known = {'conv1_1.weight', 'dense1.weight'} <= set(shapes)
    if not known or None in (channels, height, width):
        return None
    drawn = shapes['conv1_1.weight'][1]
    if drawn not in (None, channels):
        return f'its conv1_1 was drawn for {AXES[1]} {drawn}, not {channels}'
    units = shapes['dense1.weight'][1]
    halved = 2 ** len(arch.blocks)
    last = arch.blocks[-1][1], height // halved, width // halved
    if units not in (None, math.prod(last)):
        return (
            f'its dense1 was drawn for {units} numbers of each image and '
            f'gets {last}; take images of the size that it was drawn with'
        )
    return None
