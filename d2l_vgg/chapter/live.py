"""What can be tried on the page: scripts, and the numbers they compute on.

A box `<div class="live" data-live="NAME">` is filled by `live/NAME.js`, when
the reader comes near; without scripts, and on paper, it shows what stands in
it.
"""

import base64
import gzip
import shutil
from pathlib import Path

import numpy as np

from d2l_vgg.datasets import fashion_mnist
from d2l_vgg.files import write_text

HERE = Path(__file__).parent
# Of each class, in the box that trains
IMAGES_PER_CLASS = 200


def write(folder):
    """Write into a folder the scripts and what they load."""
    shutil.copytree(HERE / 'live', folder, dirs_exist_ok=True)
    write_text(f'{folder}/images.js', _images())


def _images():
    """Return a script with the first training images of each class.

    They come one of each class in turn. Packed are a byte for each label,
    then a byte for each two pixels, which have 16 grey levels.
    """
    data = fashion_mnist.load()
    by_class = np.argsort(data.train_labels, kind='stable').reshape(10, -1)
    chosen = by_class[:, :IMAGES_PER_CLASS].T.ravel()
    levels = np.rint(data.train_images[chosen] / 17).astype('uint8')
    pairs = levels.reshape(-1, 2)
    content = np.append(
        data.train_labels[chosen], 16 * pairs[:, 0] + pairs[:, 1]
    )
    packed = gzip.compress(content.tobytes(), mtime=0)
    return f"live.images = '{base64.b64encode(packed).decode()}';\n"
