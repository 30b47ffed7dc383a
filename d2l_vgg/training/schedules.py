"""Learning-rate schedules: what a run multiplies its learning rate with.

Each is a function of the progress, from 0 at the first minibatch to 1 after
the last, and returns a factor from 0 to 1.
"""

import math


def constant(progress: float) -> float:
    """The learning rate stays as it is: the book's choice."""
    return 1.0


def cosine(progress: float) -> float:
    """Half a cosine from 1 to 0 (Loshchilov and Hutter, 2016)."""
    return (1 + math.cos(math.pi * progress)) / 2


def one_cycle(progress: float, warmup: float = 0.25) -> float:
    """Rise linearly to 1, then fall to 0 (Smith and Topin, 2017)."""
    if progress < warmup:
        return progress / warmup
    return (1 - progress) / (1 - warmup)


SCHEDULES = {each.__name__: each for each in (constant, cosine, one_cycle)}
