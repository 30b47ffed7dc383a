"""Tiny trainings in any framework, stopped and resumed."""

import functools
import signal
from typing import NamedTuple

import few_images
import numpy as np

from d2l_vgg.networks.architectures import Architecture

ARCH = Architecture(
    'tiny', blocks=((1, 4), (1, 8)), batch_norm=True, hidden=(32,)
)
SIZES = {'num_train': 330, 'num_val': 80}
MOVES = {'flip': True, 'shift': 2}
NUM_BATCHES = 11  # In an epoch of minibatches of 32
# All that a trainer can be asked for, on a processor of any kind
OPTIONS = {
    'lr_schedule': 'one_cycle',
    'gradient_clip_val': 1,
    'momentum': 0.9,
    'weight_decay': 1e-3,
    'label_smoothing': 0.1,
    'test_flip': True,
}


class Outcome(NamedTuple):
    """All that a training has changed, by name, and what it has recorded."""

    arrays: dict
    points: dict


@functools.cache
def data_of(package):
    """Return images with all that is drawn by chance."""
    return package.FashionMNIST(32, **SIZES, **MOVES)


def model_of(package, **changes):
    return package.VGG(ARCH, **{'lr': 0.02, **changes})


def trainer_of(package, stop_at=None, signum=signal.SIGINT, **options):
    """Return a trainer that asks its own process to stop in the midst.

    `stop_at` is the number of a minibatch of the training, or ('val', i)
    for one of the validations.
    """

    class Stopped(package.Trainer):
        def train_step(self, batch, lr=None):
            if self.train_batch_idx == stop_at:
                signal.raise_signal(signum)
            return super().train_step(batch, lr)

        def validation_step(self, batch):
            if ('val', self.val_batch_idx) == stop_at:
                signal.raise_signal(signum)
            return super().validation_step(batch)

    return Stopped(
        **{'max_epochs': 2, 'seed': 3, 'display': 'none', **options}
    )


def fit(package, model=None, data=None, resume=False, **options):
    """Train, with nothing asked for but `options`; return the trainer."""
    trainer = trainer_of(package, **options)
    trainer.fit(
        model_of(package) if model is None else model,
        data_of(package) if data is None else data,
        resume=resume,
    )
    return trainer


def outcome(trainer):
    return Outcome(trainer.arrays(), trainer.history.points)


@functools.cache
def whole(package):
    """Return the `Outcome` of a training with all options, never stopped."""
    return outcome(fit(package, **OPTIONS))


def assert_same(one, other):
    """Both outcomes are equal, bit for bit."""
    # Gluon's trainer sorts by names that hold a count of layers: 10 before 9
    assert one.arrays.keys() == other.arrays.keys()
    for name, array in one.arrays.items():
        assert array.dtype == other.arrays[name].dtype
        np.testing.assert_array_equal(array, other.arrays[name], name)
    assert one.points == other.points


def assert_learned(trainer):
    losses = trainer.history.points['train_loss']
    assert losses[-1][1] < losses[0][1]


class Images:
    """A reader's own data, behind whatever loader is handed over.

    Args:
        loader: makes one of images, uint8 of shape (n, 28, 28), and labels,
            and of whether they are to be shuffled
        label: what the first label of the training set is changed to
    """

    def __init__(self, loader, num_train=320, label=None):
        self.loader = loader
        data = few_images.load(num_train, 96)
        labels = data.train_labels.astype(int)
        if label is not None:
            labels[0] = label
        self.train = data.train_images, labels
        self.val = data.val_images, data.val_labels.astype(int)

    def train_dataloader(self):
        return self.loader(*self.train, shuffle=True)

    def val_dataloader(self):
        return self.loader(*self.val, shuffle=False)
