"""Minibatches of images: the order of an epoch, and how its images are moved.

The set lies whole on the device, where minibatches are cut, resized and
scaled; a framework fills in how. So there are no worker processes that could
hang, and nothing is copied at each step.
"""

from __future__ import annotations

import abc
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np


class Minibatches(abc.ABC):
    """Images and labels cut into minibatches on the device.

    Each is a pair of `X`, float32 in [0, 1] of shape (batch_size, 1, height,
    width) or as the framework has it, and `y`, integers of shape
    (batch_size,).

    Args:
        images: uint8 array of shape (number of examples, height, width)
        labels: integers of shape (number of examples,)
        batch_size: examples in a minibatch; the last one holds the rest
        resize: (width, height) of the images in pixels, as in the book
        shuffle: draw the order of each epoch
        device: where the set is held, None for where the framework has it
        flip: mirror half of the images, left to right
        shift: move each image by up to so many pixels up or down, and left
            or right; what comes in is black

    Raises:
        ValueError: the images are not uint8, or there are not as many labels.

    On the device are `images`, with a black margin of `shift` pixels around
    each, `labels`, int32, and the float32 matrices that resize an image from
    both sides: `rows`, (new height, height), and `columns`, (width, new
    width), None where it keeps its size.
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        batch_size: int,
        resize: tuple[int, int],
        shuffle: bool = False,
        device: Any = None,
        flip: bool = False,
        shift: int = 0,
    ) -> None:
        if images.dtype != 'uint8' or len(images) != len(labels):
            raise ValueError(
                f'There are {len(images)} images of type {images.dtype} and '
                f'{len(labels)} labels: there must be as many of each, and '
                'the images must be uint8, 0 to 255.'
            )
        self.given_labels = np.asarray(labels)
        self.num_examples = len(labels)
        self.size = images.shape[1:]
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.device = device
        self.flip, self.shift = flip, shift
        images = np.pad(images, [(0, 0), (shift, shift), (shift, shift)])
        self.images = self.to_device(images, 'uint8')
        self.labels = self.to_device(self.given_labels, 'int32')
        self.rows = self.columns = None
        if tuple(resize[::-1]) != self.size:
            columns, rows = map(bilinear_weights, self.size[::-1], resize)
            self.rows = self.to_device(rows, 'float32')
            self.columns = self.to_device(columns.T, 'float32')

    @abc.abstractmethod
    def to_device(self, array: np.ndarray, dtype: str) -> Any:
        """Return a NumPy array as one of the framework, on `device`."""

    @abc.abstractmethod
    def take(self, indices: Any, *window: Any) -> tuple:
        """Return `X` and `y` of the examples at `indices`.

        The arrays are int32 and on the device. Images are resized to whole
        grey levels, the nearest, as the book's loader does, and then divided
        by 255; nothing waits for the device.

        Args:
            indices: which examples, of shape (batch_size,)
            window: nothing, or which rows of each of `images` are taken, of
                shape (batch_size, height, 1), and which columns, of shape
                (batch_size, 1, width)
        """

    def __len__(self) -> int:
        return math.ceil(self.num_examples / self.batch_size)

    def __iter__(self) -> Iterator[tuple]:
        return self.start_at(0)

    def start_at(
        self, first: int, seed: int | list[int] | None = None
    ) -> Iterator[tuple]:
        """Yield the minibatches of an epoch from number `first` on.

        `seed` decides the order and the moves; without, they are drawn from
        NumPy's global generator.
        """
        rng = np.random if seed is None else np.random.RandomState(seed)
        # Drawn for the whole epoch, so that it can be entered anywhere
        chosen = [self.to_device(a, 'int32') for a in self.draw(rng)]
        for i in range(first, len(self)):
            end = min((i + 1) * self.batch_size, self.num_examples)
            batch = self.share(i * self.batch_size, end)
            yield self.take(*[a[batch] for a in chosen])

    # Which part of a minibatch this process takes, one of several workers
    share: Callable[[int, int], slice] = slice

    def draw(self, rng: Any) -> list[np.ndarray]:
        """Return which examples an epoch takes, in order, and which windows.

        The arrays have the shape (number of examples,) and, when images are
        moved, (number of examples, height, 1) for the rows that are taken
        and (number of examples, 1, width) for the columns.
        """
        order = np.arange(self.num_examples)
        if self.shuffle:
            rng.shuffle(order)
        if not self.flip and not self.shift:
            return [order]
        top, left = rng.randint(
            2 * self.shift + 1, size=(2, self.num_examples, 1)
        )
        rows = top + np.arange(self.size[0])
        columns = left + np.arange(self.size[1])
        if self.flip:
            mirrored = rng.rand(self.num_examples) < 0.5
            columns[mirrored] = columns[mirrored, ::-1]
        return [order, rows[:, :, None], columns[:, None, :]]


def bilinear_weights(old_size: int, new_size: int) -> np.ndarray:
    """Return the matrix, (new_size, old_size), that resizes a line of pixels.

    Bilinear interpolation between the centres of the pixels with the border
    repeated, which is what OpenCV (and so the book's loader) computes.
    """
    centres = (np.arange(new_size) + 0.5) * (old_size / new_size) - 0.5
    pixels = np.eye(old_size)
    columns = [np.interp(centres, np.arange(old_size), p) for p in pixels]
    return np.stack(columns, axis=1).astype('float32')
