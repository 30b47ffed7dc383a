"""Fashion-MNIST as a run takes it, for any framework."""

import abc
import functools
import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from d2l_vgg.datasets import fashion_mnist, minibatches, pictures
from d2l_vgg.training import experiments


class FashionMNIST(abc.ABC):
    """The Fashion-MNIST dataset, with the interface of the book's class.

    Args:
        batch_size: examples in a minibatch
        resize: (width, height) of the images in pixels, or one for both
        root: folder of another data set of this form, see
            `fashion_mnist.load`; None for the one in this package
        num_train, num_val: how many examples to use, None for all
        flip: mirror half of the training images, left to right
        shift: move each training image by up to so many pixels (of 28 x 28)
            up or down, and left or right; both are drawn in each epoch
        device: where the set is held, None for where the trainer works

    `train` and `val` are pairs of NumPy arrays: images, uint8 of shape
    (number of examples, 28, 28) or as `root` has them, and labels, of shape
    (number of examples,). `classes` are their names, `source` is the origin.

    Raises:
        ValueError: there are not so many examples, or `root` is damaged.
        FileNotFoundError: `root` or a file there is missing.
    """

    num_workers = 0  # As in d2l's loaders: processes that prepare minibatches
    trainer = None  # Set by `Trainer`, as the book's does to models

    def __init__(
        self,
        batch_size: int = 64,
        resize: int | tuple[int, int] = (28, 28),
        root: str | None = None,
        num_train: int | None = None,
        num_val: int | None = None,
        flip: bool = False,
        shift: int = 0,
        device: Any = None,
    ) -> None:
        self.batch_size = experiments.check('batch_size', batch_size)
        self.resize = read_resize(resize)
        self.root = root
        self.flip = experiments.check('flip', flip)
        self.shift = experiments.check('shift', shift)
        self.device = device
        data = fashion_mnist.load(root)
        self.classes, self.source = data.classes, data.source
        self.num_train = read_num('num_train', num_train, data.train_labels)
        self.num_val = read_num('num_val', num_val, data.val_labels)
        self.train = tuple(a[: self.num_train] for a in data[:2])
        self.val = tuple(a[: self.num_val] for a in data[2:4])
        read_num('batch_size', batch_size, self.train[1])

    # ------------------------------------- what a framework fills in

    @property
    @abc.abstractmethod
    def Minibatches(self) -> type[minibatches.Minibatches]:
        """The framework's subclass of `datasets.minibatches.Minibatches`."""

    @abc.abstractmethod
    def to_numpy(self, array: Any) -> np.ndarray:
        """Return an array of a minibatch as NumPy's."""

    # ---------------------------------------------- what all share

    @functools.cached_property
    def digest(self) -> str:
        """The SHA-256 of all images and labels in use, in their order."""
        sha256 = hashlib.sha256()
        for array in (*self.train, *self.val):
            sha256.update(f'{array.dtype} {array.shape}'.encode())
            sha256.update(np.ascontiguousarray(array).data)
        return sha256.hexdigest()

    def text_labels(self, indices: Iterable[int]) -> list[str]:
        """Return the names of the classes with these indices."""
        return [self.classes[int(i)] for i in indices]

    def get_dataloader(self, train: bool) -> minibatches.Minibatches:
        """Return the `Minibatches` of an epoch, shuffled for training."""
        images, labels = self.train if train else self.val
        device = self.device
        if device is None and self.trainer is not None:
            device = self.trainer.device
        return self.Minibatches(
            images,
            labels,
            self.batch_size,
            self.resize,
            shuffle=train,
            device=device,
            flip=train and self.flip,
            shift=self.shift if train else 0,
        )

    def train_dataloader(self) -> minibatches.Minibatches:
        return self.get_dataloader(train=True)

    def val_dataloader(self) -> minibatches.Minibatches:
        return self.get_dataloader(train=False)

    @classmethod
    def pictures(cls, paths, resize=(28, 28)):
        """Return minibatches of a reader's own pictures, for `predict`.

        `paths` are as in `datasets.pictures.read`, `resize` is that of the
        training. The labels, which nobody knows, are 0.

        Raises:
            OSError: a file is not there, or cannot be read.
            ValueError: one is no picture, or `paths` is empty.
        """
        if not paths:
            raise ValueError('There is no picture: name at least one file.')
        images = np.stack([pictures.read(path).image for path in paths])
        labels = np.zeros(len(images), 'int32')
        return cls.Minibatches(images, labels, 64, read_resize(resize))

    def visualize(self, batch, nrows=1, ncols=8, labels=None):
        """Draw the images of a minibatch with their labels above them."""
        from matplotlib import pyplot as plt

        X, y = batch
        if labels is None or not len(labels):
            labels = self.text_labels(self.to_numpy(y))
        size = (1.5 * ncols, 1.5 * nrows)
        _, axes = plt.subplots(nrows, ncols, figsize=size, squeeze=False)
        for ax in axes.flat:
            ax.axis('off')
        for ax, image, label in zip(axes.flat, self.to_numpy(X), labels):
            ax.imshow(image.squeeze())
            ax.set_title(label)


def read_resize(resize: Any) -> tuple[int, int]:
    """Return (width, height); ValueError for what is neither one nor two."""
    if not isinstance(resize, (tuple, list)):
        resize = (resize, resize)
    if len(resize) != 2:
        raise ValueError(
            f'resize is {resize}: it must be one number, or width and height.'
        )
    return tuple(experiments.check('resize', size) for size in resize)


def read_num(name: str, num: int | None, examples: np.ndarray) -> int | None:
    """Return how many of the examples are taken, None for all."""
    if num is None:
        return None
    num = experiments.check(name, num)
    if num > len(examples):
        raise ValueError(
            f'{name} is {num}, but this set has only {len(examples)} '
            'examples: choose a smaller number.'
        )
    return num
