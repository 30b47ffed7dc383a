"""The seeds of a run: one for each epoch, one for each minibatch.

So a run can go on from any minibatch: a framework's generator can be seeded,
but not always saved.
"""

import random

import numpy as np


def seed_order(seed, epoch):
    """Seed what shuffles and moves the images of an epoch."""
    np.random.seed([seed, epoch])
    random.seed(seed + epoch)


def mix(*numbers):
    """Return a seed that no neighbouring numbers come near.

    MXNet fills an array from many generators, which it seeds with consecutive
    numbers. With seeds 0, 1, 2, ... nine tenths of the dropout masks of one
    minibatch come again in the next, only shifted.
    """
    return int(np.random.SeedSequence(numbers).generate_state(1)[0] >> 1)
