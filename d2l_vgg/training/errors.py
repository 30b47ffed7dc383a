"""What every framework's trainer refuses, and why it stops."""

from typing import Any


class TrainingDiverged(ArithmeticError):
    """The `value` of a series is no longer a finite number at epoch `x`."""

    def __init__(self, series: str, x: float, value: float, lr: float):
        super().__init__(
            f'{series} is {value} at epoch {x:.2f}: lower the learning rate '
            f'(lr={lr}) or limit the gradient (gradient_clip_val=1).'
        )


class NotDrawn(ValueError):
    """Parameters are asked for that the network does not have yet."""

    def __init__(self) -> None:
        super().__init__(
            'The parameters cannot be saved or loaded before they are drawn: '
            'let the network see an image first, as in model(X).'
        )


def check_num_gpus(num_gpus: int, found: int, framework: str) -> None:
    """Raise ValueError for more than one; `found` is how many there are."""
    if num_gpus > 1:
        raise ValueError(
            f'num_gpus is {num_gpus}, but a process uses one device (GPUs '
            f'that {framework} can use here: {found}): ask for 1, or for 0 '
            'to train on the CPU, and start a process for each GPU by '
            'torchrun or mpirun.'
        )


def check_asks_nothing(trainer: Any, model: Any) -> None:
    """Raise ValueError if `trainer` asks what only a `Classifier` knows."""
    rounds = trainer.precision != 'float32'
    if rounds or trainer.label_smoothing or trainer.test_flip:
        raise ValueError(
            f'{type(model).__name__} is no d2l_vgg.Classifier, which '
            'label_smoothing, test_flip and precision are for: derive it '
            'from that, or leave them out.'
        )


def check_is_ours(model: Any, ours: type) -> None:
    """Raise ValueError unless `model` is derived from our `Classifier`."""
    if not isinstance(model, ours):
        raise ValueError(
            f'{type(model).__name__} is no d2l_vgg.Classifier, whose steps '
            'this framework compiles: derive it from that.'
        )


def check_model(model: Any) -> None:
    """Raise ValueError unless `model` has the methods of the book's."""
    for name in 'training_step', 'validation_step', 'configure_optimizers':
        if not hasattr(model, name):
            raise ValueError(
                f'{type(model).__name__} has no {name}, which a trainer '
                'calls: write it, or derive it from d2l_vgg.Classifier.'
            )


def check_supported(trainer: Any, supported: dict[str, bool]) -> None:
    """Raise ValueError if the optimizer does not do what `trainer` asks for.

    `supported` tells so for those of momentum, weight_decay and lr_schedule
    of which it is known.
    """
    for name, is_supported in supported.items():
        asked = getattr(trainer, name)
        if asked not in (0, 'constant') and not is_supported:
            raise ValueError(
                f'{name} is {asked!r}, but the optimizer of '
                f'{type(trainer.model).__name__} does not take it: leave it '
                'out, or let configure_optimizers ask self.trainer for it.'
            )
