"""A smoke test: a training cut short, to see that it would begin and end.

`$D2L_VGG_TRIAL` is how many minibatches to train on and to validate with,
once. What comes out is no result, and is marked so wherever it goes.
"""

import itertools
import os
import re

from d2l_vgg.messages import counted

VARIABLE = 'D2L_VGG_TRIAL'


def size():
    """Return of how many minibatches the smoke test is, 0 without one."""
    text = os.environ.get(VARIABLE) or '0'
    if not re.fullmatch('[0-9]{1,9}', text):
        raise ValueError(
            f'${VARIABLE} is {text!r}: it must be a whole number of '
            'minibatches, 0 for a whole training.'
        )
    return int(text)


def note(size):
    """Return the mark of what comes out, None for a whole training."""
    if not size:
        return None
    return (
        f'SMOKE TEST: cut short to {counted(size, "minibatch", "es")} by '
        f'${VARIABLE}; no result.'
    )


def shorten(trainer, size):
    """Keep so many of the minibatches that `trainer` has prepared."""
    trainer.max_epochs = 1
    for name in 'train', 'val':
        loader = getattr(trainer, f'{name}_dataloader')
        if loader is not None:
            few = First(loader, size)
            setattr(trainer, f'{name}_dataloader', few)
            setattr(trainer, f'num_{name}_batches', few.size)


class First:
    """The first minibatches of a loader, as a whole training has them."""

    def __init__(self, loader, size):
        self.loader, self.size = loader, min(size, len(loader))

    def __iter__(self):
        return itertools.islice(self.loader, self.size)
