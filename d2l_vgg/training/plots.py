"""Whose `plot` a model's steps call while it is trained.

d2l's own reads every value, which waits for the device at each step.
"""

import contextlib


@contextlib.contextmanager
def taken(model, trainer):
    """Within the block, what `model` plots goes to `trainer.plot`.

    A class, or a model, that plots in a way of its own goes on doing so.
    What it calls by `super()` then finds `trainer.takes_plots` True, and
    hands on what it is given.
    """
    own = is_own(model)
    if not own:
        model.plot = trainer.plot
    trainer.takes_plots = True
    try:
        yield
    finally:
        trainer.takes_plots = False
        if not own:
            del model.plot


def is_own(model):
    """Return whether the `plot` of `model` is a reader's."""
    if 'plot' in vars(model):
        return True
    plot = getattr(type(model), 'plot', None)
    module = getattr(plot, '__module__', 'd2l')
    return module.partition('.')[0] not in ('d2l', 'd2l_vgg')
