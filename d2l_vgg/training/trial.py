"""Cut a training short, to see that it would begin and end well.

`$D2L_VGG_TRIAL` is how many minibatches to train on and to validate with,
once.
"""

import itertools
import os


def asked():
    """Return how many minibatches a trial takes, 0 if this is none."""
    return int(os.environ.get('D2L_VGG_TRIAL') or 0)


def shorten(trainer):
    """Keep so many of the minibatches that `trainer` has prepared.

    Without the variable everything stays as it is.
    """
    trial = os.environ.get('D2L_VGG_TRIAL')
    if not trial:
        return
    trainer.max_epochs = 1
    for name in 'train', 'val':
        loader = getattr(trainer, f'{name}_dataloader')
        if loader is not None:
            few = list(itertools.islice(loader, int(trial)))
            setattr(trainer, f'{name}_dataloader', few)
            setattr(trainer, f'num_{name}_batches', len(few))
