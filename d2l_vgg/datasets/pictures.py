"""A reader's own pictures of clothes, made such as Fashion-MNIST's are.

The steps are those of its authors (Xiao, Rasul and Vollgraf, 2017, Section
2): trim, shrink to 28 pixels, centre, grey, and a dark ground.
"""

import math
import os
from typing import NamedTuple

import numpy as np

from d2l_vgg.files import open_regular

SIZE = 28

# A pixel is ground if it is this near to the ground's own grey, which is the
# authors' 5 percent of the range
NEAR = 0.05 * 255

# Others of Pillow's formats start programs
FORMATS = ('PNG', 'JPEG', 'GIF', 'BMP', 'TIFF', 'WEBP')
ENDS = tuple(f'.{name.lower()}' for name in (*FORMATS, 'JPG', 'TIF'))

# Images of Fashion-MNIST reach 254; so dark, `quick` is right on 0.78. Of the
# emptiest, 38 pixels are not ground
FAINT, FEW = 64, 38

# So many take up to 1.5 GB, but a JPEG is reduced as it is decoded, to sides
# of `LARGE` at the least; Pillow cannot shrink sides much above `MAX_SIDE`
MAX_PIXELS, MAX_SIDE, LARGE = 50_000_000, 65_535, 2048


class Picture(NamedTuple):
    """A picture as a network sees it.

    `image` is uint8 of shape (28, 28), light on a dark ground; `steps` are
    the words for what was done to it, in order.
    """

    path: str
    image: np.ndarray
    steps: tuple


def files(path):
    """Return pictures in a folder, not hidden ones, or `path` itself."""
    names = sorted(os.listdir(path)) if os.path.isdir(path) else []
    names = [n for n in names if n[0] != '.' and n.lower().endswith(ENDS)]
    return [os.path.join(path, name) for name in names] or [path]


def read(path):
    """Return the `Picture` in a file of any size, colour and format.

    The ground is taken to be of one colour, the one of the picture's border.
    A `Picture` is returned as it is.

    Raises:
        OSError: the file is not there, or cannot be read.
        ValueError: it is no picture, too large a one, or an empty one.
    """
    from PIL import Image

    if isinstance(path, Picture):
        return path
    if os.path.isdir(path):
        raise ValueError(
            f'{path} is a folder: name a picture, or a folder of some, whose '
            f'names end in {", ".join(ENDS)}.'
        )
    # A limit of its own, which would only warn
    Image.MAX_IMAGE_PIXELS = None
    with open_regular(path) as file:
        try:
            picture = Image.open(file, formats=FORMATS)
            steps = [f'{picture.width} x {picture.height} pixels']
            # A progressive one is held whole before it is reduced
            if 'progressive' not in picture.info:
                picture.draft(None, (LARGE, LARGE))
            width, height = picture.size
            if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
                raise ValueError(f'{steps[0]} are too many')
            if not steps[0].startswith(f'{width} x {height} '):
                steps.append(f'reduced to {width} x {height}')
            grey = to_grey(picture, steps)
        except MemoryError:
            raise
        except Exception as error:  # Damage shows in a dozen ways
            why = str(error).split(' <')[0]  # Pillow names Python's object
            raise ValueError(
                f'{path} is no picture that can be read ({why}): take one '
                f'of {", ".join(FORMATS)}, not too large.'
            ) from error
    if grey.shape == (SIZE, SIZE) and ground_of(grey) <= NEAR:
        steps.append('taken as it is')
    else:
        grey = to_fashion_mnist(grey, steps)
    if np.sum(grey > NEAR) < FEW:
        raise ValueError(
            f'Too little is left to see in {path} ({", ".join(steps)}): take '
            'a picture of a larger thing, not as light as its ground.'
        )
    if grey.max() < FAINT:
        steps.append('so faint that a guess says little')
    return Picture(str(path), grey, tuple(steps))


def to_grey(picture, steps):
    """Return a picture as an array of grey levels, upright and opaque."""
    from PIL import Image, ImageOps

    turned = ImageOps.exif_transpose(picture)
    if turned.size != picture.size:
        steps.append('turned upright')
    if turned.mode.startswith(('I', 'F')):
        return stretched(turned, steps)
    if 'A' in turned.getbands() or 'transparency' in turned.info:
        steps.append('laid on white')
        white = Image.new('RGBA', turned.size, 'white')
        white.alpha_composite(turned.convert('RGBA'))
        turned = white.convert('RGB')
    if turned.mode not in ('L', '1'):
        steps.append('made grey')
    return np.asarray(turned.convert('L'))


def stretched(picture, steps):
    """Return levels of 16 or 32 bits as 0 to 255, white where transparent."""
    levels = np.array(picture, dtype='float64')
    if not np.isfinite(levels).all():
        raise ValueError('some of its grey levels are not finite')
    clear = levels == picture.info.get('transparency', math.nan)
    solid = levels[~clear]
    low, high = (solid.min(), solid.max()) if solid.size else (0, 0)
    steps.append(f'grey levels {low:g} to {high:g} taken as 0 to 255')
    # In place, as there may be millions
    levels -= low
    levels *= 255 / (high - low or 1)
    levels[clear] = 255
    return levels.astype('uint8')


def ground_of(grey):
    """Return the grey level of the ground: the median of the border."""
    return float(np.median(np.r_[grey[0], grey[-1], grey[:, 0], grey[:, -1]]))


def to_fashion_mnist(grey, steps):
    """Return grey levels as an image of 28 x 28."""
    from PIL import Image

    ground = ground_of(grey)
    if ground > 127:
        grey, ground = 255 - grey, 255 - ground
        steps.append('light and dark swapped, as its ground is light')
    thing = (grey < ground - NEAR) | (grey > ground + NEAR)
    image = np.zeros((SIZE, SIZE), 'uint8')
    if thing.sum() < FEW:
        return image
    trimmed = Image.fromarray(grey).crop(Image.fromarray(thing).getbbox())
    if trimmed.size != grey.shape[::-1]:
        steps.append(f'trimmed to {trimmed.width} x {trimmed.height}')
    scale = SIZE / max(trimmed.size)
    width, height = (max(1, round(n * scale)) for n in trimmed.size)
    small = trimmed.resize((width, height), Image.LANCZOS)
    # What is darker than the ground would be lost on a black one
    levels = np.clip(np.asarray(small, dtype='float64') - ground, 0, None)
    levels *= 255 / (255 - ground)
    top, left = (SIZE - height) // 2, (SIZE - width) // 2
    image[top : top + height, left : left + width] = levels.round()
    steps.append(f'resized to {width} x {height} and centred on black')
    return image
