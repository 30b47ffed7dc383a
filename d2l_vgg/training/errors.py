"""Errors that every framework's trainer raises.

Each is one sentence that says what is wrong and what to do.
"""

import math


class TrainingDiverged(ArithmeticError):
    """The loss of a run is no longer a finite number."""


def check_finite(series, x, value, lr):
    """Stop a run that has gone astray and will not come back.

    Args:
        series: what `value` is, such as 'train_loss'
        x: the epoch, with its fraction
        value: a number
        lr: the learning rate of the run, for the message

    Raises:
        TrainingDiverged: `value` is infinite or not a number.
    """
    if not math.isfinite(value):
        raise TrainingDiverged(
            f'{series} is {value} at epoch {x:.2f}: lower the learning rate '
            f'(lr={lr}) or limit the gradient (gradient_clip_val=1).'
        )
