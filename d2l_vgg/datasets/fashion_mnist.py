"""Fashion-MNIST, which comes with this package, or another set of its form.

That form is Zalando's, and MNIST's: four IDX files of images and labels.
"""

from __future__ import annotations

import os
from typing import NamedTuple

import numpy as np

from d2l_vgg.datasets import idx
from d2l_vgg.files import open_regular

TEXT_LABELS = (
    *('t-shirt', 'trouser', 'pullover', 'dress', 'coat'),
    *('sandal', 'shirt', 'sneaker', 'bag', 'ankle boot'),
)

# In the order of `Data`, with the dimensions of each
FILES = {
    'train-images-idx3-ubyte': 3,
    'train-labels-idx1-ubyte': 1,
    't10k-images-idx3-ubyte': 3,
    't10k-labels-idx1-ubyte': 1,
}

# Zalando's files as they publish them, under the licence beside them
FOLDER = os.path.join(os.path.dirname(__file__), 'fashion-mnist')


class Data(NamedTuple):
    """The whole data set in memory, as uint8.

    Images have the shape (number of examples, height, width), 0 for the
    background; labels, (number of examples,), are indices into `classes`.
    `source` is the name of the data set, or its folder.
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    val_images: np.ndarray
    val_labels: np.ndarray
    classes: tuple[str, ...]
    source: str


def load(root: str | os.PathLike | None = None) -> Data:
    """Return Fashion-MNIST, or the data set of its form in a folder.

    The data set is that of Xiao et al., Fashion-MNIST: a Novel Image Dataset
    for Benchmarking Machine Learning Algorithms (2017): 60000 training and
    10000 validation examples of 28 x 28 pixels in ten classes.

    Args:
        root: a folder with four files of the same names, packed by gzip or
            not, and `classes.txt` where its classes have names

    Raises:
        FileNotFoundError: the folder or one of the files is not there.
        idx.BadFile: a file is cut short, or does not go with the others.
        OSError: a file cannot be read.
    """
    folder = os.path.expanduser(FOLDER if root is None else root)
    if not os.path.isdir(folder):
        raise FileNotFoundError(
            f'There is no folder {folder}: name one with the four files '
            f'{", ".join(FILES)}.'
        )
    arrays = [
        idx.read(idx.find(folder, name), num_dims)
        for name, num_dims in FILES.items()
    ]
    for images, labels in (arrays[:2], arrays[2:]):
        if len(images) != len(labels):
            raise idx.BadFile(
                f'{folder} has {len(images)} images and {len(labels)} labels '
                'for them: take files of one data set.'
            )
    if arrays[0].shape[1:] != arrays[2].shape[1:]:
        train, val = ('{} x {}'.format(*a.shape[1:]) for a in arrays[::2])
        raise idx.BadFile(
            f'{folder} has training images of {train} pixels and validation '
            f'images of {val}: take files of one data set.'
        )
    classes, source = TEXT_LABELS, 'Fashion-MNIST'
    if root is not None:
        num_classes = max(int(labels.max()) for labels in arrays[1::2]) + 1
        classes = _read_classes(folder, num_classes)
        source = os.path.abspath(folder)
    return Data._make([*arrays, classes, source])


def _read_classes(folder, num_classes):
    """Return the names of the classes: their numbers, without the file."""
    path = os.path.join(folder, 'classes.txt')
    if not os.path.exists(path):
        return tuple(map(str, range(num_classes)))
    # What is not UTF-8 becomes what cannot be printed
    as_text = {'encoding': 'utf-8-sig', 'errors': 'surrogateescape'}
    with open_regular(path, 'r', **as_text) as file:
        # 256 labels fit into a byte
        text = file.read(2**16)
    names = tuple(map(str.strip, text.rstrip().split('\n')))
    for number, name in enumerate(names, 1):
        if not name.isprintable() or name in ('', *names[: number - 1]):
            raise idx.BadFile(
                f'{path} names a class {name!r} in line {number}: write one '
                'name a line that can be printed, in UTF-8, each only once.'
            )
    if not num_classes <= len(names) <= 256:
        raise idx.BadFile(
            f'{path} names {len(names)} classes, but the labels go from 0 to '
            f'{num_classes - 1}: write one name a line, at most 256.'
        )
    return names
