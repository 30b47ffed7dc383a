"""What the book's own base class gives a model, where d2l is not there."""

import functools
import inspect
import sys
from typing import Any


class Module:
    """Mixed into the classifiers of those frameworks that do without d2l."""

    trainer: Any  # As `Classifier` has it

    def __init__(
        self, plot_train_per_epoch: float = 2, plot_valid_per_epoch: float = 1
    ) -> None:
        super().__init__()
        self.plot_train_per_epoch = plot_train_per_epoch
        self.plot_valid_per_epoch = plot_valid_per_epoch

    def save_hyperparameters(self, ignore=()):
        """Keep the caller's arguments as attributes, and in `hparams`.

        Those named in `ignore` or with an underscore first are left out.
        """
        frame = inspect.currentframe().f_back
        names, varargs, varkw, values = inspect.getargvalues(frame)
        names = [*names[1:], *filter(None, (varargs, varkw))]
        self.hparams = {
            name: values[name]
            for name in names
            if name not in ignore and not name.startswith('_')
        }
        for name, value in self.hparams.items():
            setattr(self, name, value)

    @functools.cached_property
    def board(self):
        """What d2l's own trainer has a model draw its values on."""
        return d2l_of(self.trainer).ProgressBoard()

    def plot(self, key: str, value: Any, train: bool) -> None:
        """Let d2l's own trainer draw a value, if it is the trainer."""
        if self.trainer is not None:
            d2l_of(self.trainer).Module.plot(self, key, value, train)


def d2l_of(trainer: Any) -> Any:
    """Return the module of d2l's that a trainer comes from."""
    for cls in type(trainer).__mro__:
        if cls.__module__.partition('.')[0] == 'd2l':
            return sys.modules[cls.__module__]
    raise TypeError(
        f'{type(trainer).__name__} can draw no curves: derive it from '
        'd2l_vgg.Trainer, or from d2l.Trainer.'
    )
