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
from d2l_vgg.figures.lettering import NOTE_COLOR
from d2l_vgg.figures.runs import COLORS, GRAY, curves
from d2l_vgg.figures.saving import names, save, show, write_svg

__all__ = [
    'COLORS',
    'GRAY',
    'NOTE_COLOR',
    'confusion',
    'curves',
    'feature_maps',
    'mistakes',
    'names',
    'save',
    'show',
    'show_images',
    'write_svg',
]
