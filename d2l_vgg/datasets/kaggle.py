"""The two CSV files in which Kaggle offers Fashion-MNIST.

A line holds a label and the 784 pixels of its image. The files are believed
by what Zalando's hold: the same images with the same labels.
"""

import hashlib
from typing import NamedTuple

import numpy as np

from d2l_vgg.datasets.idx import BadFile, CannotRead, File, paths_of
from d2l_vgg.datasets.places import absolute
from d2l_vgg.files import open_regular


class Table(NamedTuple):
    """One CSV file, the files that it stands for, and its digest.

    `sha256` is that of its rows in any order, as `unordered` computes it.
    """

    name: str
    images: File
    labels: File
    sha256: str

    def paths_in(self, folder):
        """Return the paths at which a folder holds it, good or bad.

        Raises:
            CannotRead: the folder is there and cannot be looked into.
        """
        return paths_of([self.name], folder)


def read(path, table):
    """Read a CSV file; return images, labels, and whether they are in order.

    The order of Kaggle's rows is not documented. Where it is Zalando's, the
    arrays are the very same, to the last bit. Where it is another one, the
    images are the same, but a run on them does not repeat one on Zalando's
    files, and their first thousand are other images.

    Args:
        path: where it is.
        table: the `Table` that it should be.

    Raises:
        BadFile: the rows are not those of the data set.
        CannotRead: the system does not give it.
    """
    path = absolute(path)
    num_rows, *size = table.images.shape
    rows = _parse(path, 1 + int(np.prod(size)))
    if len(rows) != num_rows:
        raise BadFile(
            path,
            'truncated' if len(rows) < num_rows else 'altered',
            f'it holds {len(rows)} rows, not {num_rows}',
        )
    labels = np.ascontiguousarray(rows[:, 0])
    images = np.ascontiguousarray(rows[:, 1:]).reshape(table.images.shape)
    if all(
        hashlib.sha256(file.header + array.tobytes()).hexdigest()
        == file.sha256
        for file, array in ((table.images, images), (table.labels, labels))
    ):
        return images, labels, True
    if unordered(images, labels) != table.sha256:
        raise BadFile(
            path,
            'altered',
            f'its {num_rows} images with their labels are not those of '
            'Fashion-MNIST, in any order',
        )
    return images, labels, False


def unordered(images, labels):
    """Return a SHA-256 of images and labels that no order changes."""
    pairs = [
        hashlib.sha256(bytes([label]) + image.tobytes()).digest()
        for image, label in zip(images, labels)
    ]
    return hashlib.sha256(b''.join(sorted(pairs))).hexdigest()


def _parse(path, num_columns):
    """Return the rows, uint8 of shape (number of rows, `num_columns`)."""
    try:
        with open_regular(path) as file:
            header = file.readline(2**16)
            if header.count(b',') != num_columns - 1:
                raise BadFile(
                    path,
                    'not CSV',
                    f'its first line should name {num_columns} columns',
                )
            rows = np.loadtxt(file, np.int16, delimiter=',', ndmin=2)
            rows = rows.reshape(-1, num_columns)
    except OSError as error:
        raise CannotRead(path, error) from error
    except BadFile:
        raise
    except ValueError as error:
        reason = str(error).splitlines()[0].rstrip('.')
        raise BadFile(
            path, 'altered', f'a row is damaged ({reason})'
        ) from None
    if ((rows < 0) | (rows > 255)).any():
        raise BadFile(path, 'altered', 'a number is not between 0 and 255')
    return rows.astype(np.uint8)
