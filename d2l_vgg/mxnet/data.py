"""Fashion-MNIST for MXNet, held whole in the memory of the device.

Minibatches are cut, resized and scaled where they are used, so there are no
worker processes that could hang and nothing is copied at each step.
"""

import math

import numpy as onp
from d2l import mxnet as d2l
from mxnet import np

from d2l_vgg.datasets import fashion_mnist, stand_in
from d2l_vgg.datasets.division import divide_anew


class FashionMNIST(d2l.DataModule):
    """The Fashion-MNIST dataset, with the interface of the book's class.

    Args:
        batch_size: examples in a minibatch
        resize: (width, height) of the images in pixels, as in Gluon
        root: folder of the four files, 'stand-in' for the drawn images, or
            None to look in `$D2L_VGG_DATA` (which may be 'stand-in' too) and
            the usual places and then download
        num_train, num_val: how many examples to use, None for all
        division: None for the official division into training and validation
            set, or the seed of another one
        flip: mirror half of the training images, left to right
        shift: move each training image by up to so many pixels (of 28 x 28)
            up or down, and left or right; both are drawn anew in each epoch
        device: where the set is held, None for where the trainer works

    Raises:
        ValueError: a size is not positive, `shift` is negative, or a
            minibatch is larger than the set.
        fashion_mnist.DataNotFound: no files and no network.
        fashion_mnist.BadFile: a file in `root` is not what it should be.
    """

    def __init__(
        self,
        batch_size=64,
        resize=(28, 28),
        root=None,
        num_train=None,
        num_val=None,
        division=None,
        flip=False,
        shift=0,
        device=None,
    ):
        super().__init__(root=root, num_workers=0)
        self.trainer = None  # Set by `Trainer`, as the book's does to models
        self.save_hyperparameters()
        resize = (resize, resize) if isinstance(resize, int) else resize
        for name, size in [
            ('batch_size', batch_size),
            ('resize', min(resize)),
            ('num_train', 1 if num_train is None else num_train),
            ('num_val', 1 if num_val is None else num_val),
        ]:
            if size < 1:
                raise ValueError(
                    f'{name} is {size}, but it must be positive.'
                )
        if shift < 0:
            raise ValueError(
                f'shift is {shift}, but it must be 0 or more pixels.'
            )
        self.resize = tuple(resize)
        if stand_in.is_asked_for(root):
            arrays = stand_in.load(num_train or 60000, num_val or 10000)
        else:
            arrays = fashion_mnist.load(root)
        if division is not None:
            arrays = divide_anew(arrays, division)
        self.source, self.stand_in = arrays.source, arrays.stand_in
        self.note = stand_in.NOTE if arrays.stand_in else None
        self.train = (
            arrays.train_images[:num_train],
            arrays.train_labels[:num_train],
        )
        self.val = (arrays.val_images[:num_val], arrays.val_labels[:num_val])
        if batch_size > len(self.train[0]):
            raise ValueError(
                f'batch_size is {batch_size}, but the training set has only '
                f'{len(self.train[0])} examples: choose a smaller one.'
            )

    def text_labels(self, indices):
        """Return the names of the classes with these indices."""
        return fashion_mnist.text_labels(indices)

    def get_dataloader(self, train):
        """Return the minibatches of one epoch, shuffled for training."""
        images, labels = self.train if train else self.val
        device = self.trainer.device if self.trainer else d2l.cpu()
        return Minibatches(
            images,
            labels,
            self.batch_size,
            self.resize,
            shuffle=train,
            device=self.device or device,
            flip=self.flip and train,
            shift=self.shift if train else 0,
        )

    def visualize(self, batch, nrows=1, ncols=8, labels=None):
        """Draw the images of a minibatch with their labels above them."""
        X, y = batch
        d2l.show_images(
            X.squeeze(1),
            nrows,
            ncols,
            titles=labels or self.text_labels(y),
        )


class Minibatches:
    """Images and labels cut into minibatches on the device.

    Each is a pair of `X`, float32 in [0, 1] of shape (batch_size, 1, height,
    width), and `y`, int32 of shape (batch_size,). The order of an epoch, and
    how its images are moved, come from NumPy's global generator, as in
    Gluon's own samplers.
    """

    def __init__(
        self,
        images,
        labels,
        batch_size,
        resize,
        shuffle,
        device,
        flip=False,
        shift=0,
    ):
        self.size = images.shape[1:]
        self.flip = flip
        self.shift = shift
        # A black margin for what is moved out of the image and into it
        images = onp.pad(images, [(0, 0), (shift, shift), (shift, shift)])
        self.images = np.array(images, dtype='uint8', ctx=device)
        self.labels = np.array(labels, dtype='int32', ctx=device)
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.device = device
        width, height = resize
        self.rows = self.columns = None
        if (height, width) != self.size:
            self.rows = np.array(
                bilinear_weights(self.size[0], height), ctx=device
            )
            self.columns = np.array(
                bilinear_weights(self.size[1], width).T, ctx=device
            )

    def __len__(self):
        return math.ceil(len(self.labels) / self.batch_size)

    def __iter__(self):
        return self.start_at(0)

    def start_at(self, first):
        """Iterate over an epoch from its minibatch number `first` on."""
        order = onp.arange(len(self.labels))
        if self.shuffle:
            onp.random.shuffle(order)
        # Which image, and which of its rows and columns; drawn for the whole
        # epoch, so that it can be entered anywhere
        chosen = [order]
        if self.flip or self.shift:
            chosen += self.draw_windows()
        chosen = [np.array(a, dtype='int32', ctx=self.device) for a in chosen]
        for i in range(first * self.batch_size, len(order), self.batch_size):
            batch = slice(i, i + self.batch_size)
            yield self.minibatch(*[a[batch] for a in chosen])

    def draw_windows(self):
        """Return the rows and the columns that are taken of each image.

        Arrays of shape (number of images, height, 1) and (number of images,
        1, width).
        """
        top, left = onp.random.randint(
            2 * self.shift + 1, size=(2, len(self.labels), 1)
        )
        rows = top + onp.arange(self.size[0])
        columns = left + onp.arange(self.size[1])
        if self.flip:
            mirrored = onp.random.rand(len(self.labels)) < 0.5
            columns[mirrored] = columns[mirrored, ::-1]
        return rows[:, :, None], columns[:, None, :]

    def minibatch(self, indices, *window):
        """Return the resized images and the labels at `indices`."""
        if window:
            X = self.images[(indices[:, None, None], *window)]
        else:
            X = self.images[indices]
        if self.rows is not None:
            # The book's loader rounds to whole grey levels as it resizes;
            # a half added before is cheaper than rounding every pixel after
            X = np.dot(X.astype('float32') + 0.5, self.columns)
            X = np.matmul(self.rows, X).astype('uint8')
        return np.expand_dims(X / 255, 1), self.labels[indices]


def bilinear_weights(old_size, new_size):
    """Return the matrix, (new_size, old_size), that resizes a line of pixels.

    Bilinear interpolation between the centres of the pixels with the border
    repeated, which is what OpenCV (and so the book's loader) computes.
    """
    scale = old_size / new_size
    centres = (onp.arange(new_size) + 0.5) * scale - 0.5
    centres = onp.clip(centres, 0, old_size - 1)
    left = onp.minimum(centres.astype(int), max(old_size - 2, 0))
    right = onp.minimum(left + 1, old_size - 1)
    weights = onp.zeros((new_size, old_size), dtype='float32')
    lines = onp.arange(new_size)
    weights[lines, left] += 1 - (centres - left)
    weights[lines, right] += centres - left
    return weights
