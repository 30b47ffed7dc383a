"""A reader's own pictures of clothes, made such as Fashion-MNIST's are.

The steps are those of its authors (Xiao, Rasul and Vollgraf, 2017, Section
2): trim, shrink to 28 pixels, centre, grey, and a dark ground.
"""

from typing import NamedTuple

import numpy as np

from d2l_vgg.files import open_regular

SIZE = 28

# A pixel is ground if it is this near to the ground's own grey, which is the
# authors' 5 percent of the range
NEAR = 0.05 * 255

# Larger ones could fill the memory; a phone's have 200 million at most
MAX_PIXELS = 250_000_000
# The longest side of a JPEG; Pillow cannot shrink much longer ones
MAX_SIDE = 65_535


class Picture(NamedTuple):
    """A picture as a network sees it.

    `image` is uint8 of shape (28, 28), light on a dark ground; `steps` are
    the words for what was done to it, in order.
    """

    path: str
    image: np.ndarray
    steps: tuple


def read(path):
    """Return the `Picture` in a file of any size, colour and format.

    The ground is taken to be of one colour, the one of the picture's border.

    Raises:
        OSError: the file is not there, or cannot be read.
        ValueError: it is no picture, or too large a one.
    """
    from PIL import Image

    # A limit of its own, which would only warn
    Image.MAX_IMAGE_PIXELS = None
    with open_regular(path) as file:
        try:
            picture = Image.open(file)
            size = f'{picture.width} x {picture.height} pixels'
            if picture.width * picture.height > MAX_PIXELS:
                raise ValueError(f'{size} are more than {MAX_PIXELS}')
            if max(picture.size) > MAX_SIDE:
                raise ValueError(f'{size}: no side may have above {MAX_SIDE}')
            steps = [size]
            grey = to_grey(picture, steps)
        except MemoryError:
            raise
        except Exception as error:  # Damage shows in a dozen ways
            raise ValueError(
                f'{path} is no picture that can be read ({error}): take a '
                'PNG or a JPEG, not too large.'
            ) from error
    if grey.shape == (SIZE, SIZE) and ground_of(grey) <= NEAR:
        steps.append('taken as it is')
    else:
        grey = to_fashion_mnist(grey, steps)
    return Picture(str(path), grey, tuple(steps))


def to_grey(picture, steps):
    """Return a picture as an array of grey levels, upright and opaque."""
    from PIL import Image, ImageOps

    turned = ImageOps.exif_transpose(picture)
    if turned.size != picture.size:
        steps.append('turned upright')
    if 'A' in turned.getbands() or 'transparency' in turned.info:
        steps.append('laid on white')
        white = Image.new('RGBA', turned.size, 'white')
        white.alpha_composite(turned.convert('RGBA'))
        turned = white.convert('RGB')
    if turned.mode.startswith(('I', 'F')):  # 16 or 32 bits to a pixel
        levels = np.asarray(turned, dtype='float64')
        low, high = levels.min(), levels.max()
        steps.append(f'grey levels {low:g} to {high:g} taken as 0 to 255')
        scale = 255 / (high - low) if high > low else 0
        return ((levels - low) * scale).astype('uint8')
    if turned.mode not in ('L', '1'):
        steps.append('made grey')
    return np.asarray(turned.convert('L'))


def ground_of(grey):
    """Return the grey level of the ground: the median of the border."""
    border = (grey[0], grey[-1], grey[:, 0], grey[:, -1])
    return float(np.median(np.concatenate(border)))


def to_fashion_mnist(grey, steps):
    """Return grey levels as an image of 28 x 28."""
    from PIL import Image

    ground = ground_of(grey)
    if ground > 127:
        grey, ground = 255 - grey, 255 - ground
        steps.append('light and dark swapped, as its ground is light')
    thing = np.abs(grey.astype('float64') - ground) > NEAR
    if thing.any():
        rows, columns = (np.flatnonzero(thing.any(a)) for a in (1, 0))
        grey = grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        steps.append(f'trimmed to {grey.shape[1]} x {grey.shape[0]}')
    scale = SIZE / max(grey.shape)
    height, width = (max(1, round(n * scale)) for n in grey.shape)
    small = Image.fromarray(grey).resize((width, height), Image.LANCZOS)
    # What is darker than the ground would be lost on a black one
    levels = np.clip(np.asarray(small, dtype='float64') - ground, 0, None)
    levels *= 255 / (255 - ground)
    image = np.zeros((SIZE, SIZE), 'uint8')
    top, left = (SIZE - height) // 2, (SIZE - width) // 2
    image[top : top + height, left : left + width] = levels.round()
    steps.append(f'resized to {width} x {height} and centred on black')
    return image
