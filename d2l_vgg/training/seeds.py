"""The seeds of a run: one for each epoch, one for each minibatch.

So it can go on anywhere: not every framework can save its generator.
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

    MXNet fills an array from many generators with consecutive seeds. With 0,
    1, 2, ... one minibatch has nearly the dropout masks of the next.
    """
    return int(np.random.SeedSequence(numbers).generate_state(1)[0] >> 1)
