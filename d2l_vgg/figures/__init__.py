"""Pictures of histories, images and mistakes, drawn with matplotlib.

Every function returns a Figure of its own, without pyplot and its global
state, so it works without a display; `save` writes it as SVG and PNG.
"""

from d2l_vgg.figures.images import (
    confusion,
    feature_maps,
    mistakes,
    show_images,
)
from d2l_vgg.figures.runs import COLORS, GRAY, curves
from d2l_vgg.figures.saving import names, save, show

__all__ = [
    'COLORS',
    'GRAY',
    'confusion',
    'curves',
    'feature_maps',
    'mistakes',
    'names',
    'save',
    'show',
    'show_images',
]
