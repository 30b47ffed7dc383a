"""The order of an epoch, and how its images are moved, without a framework.

That the draws themselves stay as they are, golden losses tell.
"""

import numpy as np
from numpy_data import Minibatches

IMAGES = np.random.RandomState(0).randint(256, size=(100, 6, 5), dtype='u1')


def loader(**options):
    options = {'resize': (5, 6), 'shuffle': True, **options}
    return Minibatches(IMAGES, np.arange(100), 32, **options)


def order(batches):
    return np.concatenate([y for _, y in batches])


def test_an_epoch_is_entered_anywhere():
    batches = loader(flip=True, shift=2)
    whole = list(batches.start_at(0, [3, 1]))
    for first in range(5):
        rest = list(batches.start_at(first, [3, 1]))
        assert len(rest) == 4 - first
        for ours, theirs in zip(rest, whole[first:]):
            np.testing.assert_array_equal(ours[0], theirs[0])
            np.testing.assert_array_equal(ours[1], theirs[1])


def test_minibatches_that_are_passed_over_are_not_made():
    taken = []

    class Counted(Minibatches):
        def take(self, indices, *window):
            taken.append(len(indices))
            return super().take(indices, *window)

    batches = Counted(IMAGES, np.arange(100), 32, (5, 6), shuffle=True)
    ((_, y),) = batches.start_at(3, [3, 1])
    assert taken == [4]
    np.testing.assert_array_equal(y, order(batches.start_at(0, [3, 1]))[96:])
