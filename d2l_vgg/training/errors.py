"""What every framework's trainer refuses, and why it stops.

Each is one sentence that says what is wrong and what to do.
"""

from typing import Any


class TrainingDiverged(ArithmeticError):
    """The loss of a run is no longer a finite number.

    Args:
        series: what is not finite, such as 'train_loss'
        x: the epoch, with its fraction
        value: infinite or not a number
        lr: that of the run
    """

    def __init__(self, series: str, x: float, value: float, lr: float):
        super().__init__(
            f'{series} is {value} at epoch {x:.2f}: lower the learning rate '
            f'(lr={lr}) or limit the gradient (gradient_clip_val=1).'
        )


def check_num_gpus(num_gpus: int, found: int, framework: str) -> None:
    """Refuse what is no number of GPUs that a run can use.

    Args:
        num_gpus: as a user has given it
        found: how many this machine has
        framework: which can use these, for the message

    Raises:
        ValueError: `num_gpus` is neither 0 nor 1.
    """
    if num_gpus < 0:
        raise ValueError(f'num_gpus is {num_gpus}, but it must be 0 or 1.')
    if num_gpus > 1:
        raise ValueError(
            f'num_gpus is {num_gpus}, but a process uses one device; this '
            f'machine has {found} GPUs that {framework} can use: ask for 1, '
            'or for 0 to train on the CPU, and start a process for each GPU '
            'by torchrun or mpirun.'
        )


def check_asks_nothing(trainer: Any, model: Any) -> None:
    """Refuse a model that does not know what `trainer` is to do with it.

    Raises:
        ValueError: it is to be trained or judged as only a `Classifier` of
            ours can be.
    """
    if (
        trainer.label_smoothing
        or trainer.test_flip
        or trainer.precision != 'float32'
    ):
        raise ValueError(
            f'{type(model).__name__} is no d2l_vgg.Classifier, which '
            'label_smoothing, test_flip and precision are for: derive it '
            'from that, or leave them out.'
        )


def check_is_ours(model: Any, ours: type) -> None:
    """Refuse a model that is not derived from our `Classifier`.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(model, ours):
        raise ValueError(
            f'{type(model).__name__} is no d2l_vgg.Classifier, whose steps '
            'this framework compiles: derive it from that.'
        )


def check_model(model: Any) -> None:
    """Refuse what no trainer can train, whatever the framework.

    Raises:
        ValueError: `model` lacks a method of the book's models.
    """
    for name in 'training_step', 'validation_step', 'configure_optimizers':
        if not hasattr(model, name):
            raise ValueError(
                f'{type(model).__name__} is no d2l_vgg.Classifier and has no '
                f'{name}: derive it from that.'
            )


def check_supported(trainer: Any, supported: dict[str, bool]) -> None:
    """Refuse a model whose optimizer does without what `trainer` asks for.

    Args:
        trainer: it has its model
        supported: for momentum, weight_decay and lr_schedule, whether the
            optimizer takes them as the trainer has them; those that it is
            not known of are left out

    Raises:
        ValueError: something is asked for that is not supported.
    """
    for name, is_supported in supported.items():
        asked = getattr(trainer, name)
        if asked not in (0, 'constant') and not is_supported:
            raise ValueError(
                f'{name} is {asked!r}, but the optimizer of '
                f'{type(trainer.model).__name__} does not take it: leave it '
                'out, or let configure_optimizers ask self.trainer for it.'
            )


class NotDrawn(ValueError):
    """Parameters are asked for that the network does not have yet."""

    def __init__(self) -> None:
        super().__init__(
            'The parameters cannot be saved before they are drawn: let the '
            'network see an image first, as in model(X).'
        )
