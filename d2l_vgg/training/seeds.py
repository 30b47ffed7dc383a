"""The seeds of a run: one for each epoch, one for each minibatch.

So a run can go on from any minibatch: a framework's generator can be seeded,
but not always saved.
"""

import contextlib
import random
from collections.abc import Iterator

import numpy as np


@contextlib.contextmanager
def preserve_rng_state() -> Iterator[None]:
    """Give Python's and NumPy's generators back as they were before."""
    of_python, of_numpy = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(of_python)
        np.random.set_state(of_numpy)


def seed_global(seed: int, epoch: int) -> None:
    """Seed these two for an epoch, whose loader may draw from them."""
    np.random.seed([seed, epoch])
    random.seed(mix(seed, epoch))


def mix(*numbers: int) -> int:
    """Return a seed that no neighbouring numbers come near.

    MXNet fills an array from many generators, which it seeds with consecutive
    numbers. With seeds 0, 1, 2, ... nine tenths of the dropout masks of one
    minibatch come again in the next, only shifted.
    """
    return int(np.random.SeedSequence(numbers).generate_state(1)[0] >> 1)
