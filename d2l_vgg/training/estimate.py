"""How long a training will take, told from few minibatches."""

import time
from typing import Any

from d2l_vgg.messages import counted

# How many forward passes a training step takes on a processor, as measured.
# Elsewhere gradients cost as much again for parameters and for inputs
PASSES = {'mxnet': 4.3, 'torch': 2.8, 'tensorflow': 3.7, 'jax': 5.3}


def epoch_seconds(
    trainer: Any, num_train_batches: float, num_val_batches: float
) -> float:
    """Return about how many seconds an epoch of a prepared run will take."""
    batch = next(iter(trainer.train_dataloader))
    times = []
    # The first one compiles, and the next one finds cold caches
    for _ in range(5):
        started = time.monotonic()
        trainer.wait_for(trainer.forward(batch))
        times.append(time.monotonic() - started)
    step = PASSES.get(trainer.framework, 3) if trainer.on_cpu else 3
    num_passes = step * num_train_batches
    num_passes += (1 + trainer.test_flip) * num_val_batches
    return num_passes * sorted(times[2:])[1]


def seconds_of_steps(trainer: Any, model: Any, data: Any) -> tuple:
    """Return how long `fit` trains on a minibatch, and validates one."""
    times: list[float] = []
    trainer.board.step = lambda: times.append(time.monotonic())
    trainer.smoke_test = 0  # It is short already
    # Each value is read, which waits for the device
    model.plot_train_per_epoch = model.plot_valid_per_epoch = 2
    trainer.fit(model, data)
    first, second, val, last = times  # The first of each compile
    return second - first, last - val


def format_seconds(seconds: float) -> str:
    """Return a duration in the unit that suits it."""
    if seconds < 120:
        return counted(round(seconds), 'second')
    if seconds < 7200:
        return counted(round(seconds / 60), 'minute')
    return f'{seconds / 3600:.1f} hours'
