"""Learning-rate schedules: what a run multiplies its learning rate with.

Each is a function of the progress of the training, which goes from 0 at the
first minibatch to 1 after the last, and returns a factor from 0 to 1.
"""

import math


def constant(progress):
    """The learning rate stays as it is: the book's choice."""
    return 1.0


def cosine(progress):
    """Half a cosine from 1 to 0 (Loshchilov and Hutter, 2016)."""
    return (1 + math.cos(math.pi * progress)) / 2


def one_cycle(progress, warmup=0.25):
    """Rise linearly to 1 during `warmup`, then fall linearly to 0.

    After Smith and Topin (2017): the rise lets a large learning rate be
    survived, the fall collects what it has gained.
    """
    if progress < warmup:
        return progress / warmup
    return (1 - progress) / (1 - warmup)


SCHEDULES = {'constant': constant, 'cosine': cosine, 'one_cycle': one_cycle}


def get(name):
    """Return the schedule of this name.

    Raises:
        ValueError: there is none.
    """
    if name not in SCHEDULES:
        raise ValueError(
            f'No learning-rate schedule is called {name!r}: choose one of '
            f'{", ".join(SCHEDULES)}.'
        )
    return SCHEDULES[name]
