"""The order of an epoch, and how its images are moved, without a framework.

Published and recorded runs repeat only as long as these draws stay.
"""

import numpy as np
import pytest
from numpy_data import Minibatches

IMAGES = np.random.RandomState(0).randint(256, size=(100, 6, 5), dtype='u1')


def loader(**options):
    options = {'resize': (5, 6), 'shuffle': True, **options}
    return Minibatches(IMAGES, np.arange(100), 32, **options)


def order(batches):
    return np.concatenate([y for _, y in batches])


@pytest.mark.parametrize('seed', [[0, 0], [3, 1], [2**32 - 1, 9], 7])
def test_a_seed_draws_what_numpys_generator_drew_from_it(seed):
    """As runs did that were recorded when it was the global one."""
    batches = loader(flip=True, shift=2)
    found = [batches.draw(np.random.RandomState(seed)) for _ in range(2)][1]
    state = np.random.get_state()
    try:
        np.random.seed(seed)
        expected = np.arange(100)
        np.random.shuffle(expected)
        top, left = np.random.randint(5, size=(2, 100, 1))
        mirrored = np.random.rand(100) < 0.5
    finally:
        np.random.set_state(state)
    columns = left + np.arange(5)
    columns = np.where(mirrored[:, None], columns[:, ::-1], columns)
    np.testing.assert_array_equal(found[0], expected)
    np.testing.assert_array_equal(found[1][:, :, 0], top + np.arange(6))
    np.testing.assert_array_equal(found[2][:, 0], columns)
    np.testing.assert_array_equal(order(batches.start_at(0, seed)), expected)


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
