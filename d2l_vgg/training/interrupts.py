"""Ctrl-C, `kill` and the end of a terminal, as what a run can bear.

A step that has begun is finished first: in its middle, a run could not be
saved and continued.
"""

import contextlib
import math
import os
import signal
import textwrap
import threading
import time
import types
from collections.abc import Iterator
from typing import Any

from d2l_vgg.training import workers

SIGNALS = [signal.SIGINT, signal.SIGTERM]
if hasattr(signal, 'SIGHUP'):  # Not on Windows
    SIGNALS.append(signal.SIGHUP)

# What is kept of a run that is stopped takes no longer than this
SECONDS_TO_KEEP = 10

# A key that is held down sends signal after signal
SECONDS_OF_ONE_PRESS = 0.5


class Stopped(KeyboardInterrupt):
    """A run has been stopped between two steps; the message says where."""

    def __init__(self, trainer: Any) -> None:
        total = trainer.max_epochs * trainer.num_train_batches
        goes_on = (
            f'trainer.fit(model, data, resume=True) goes on from '
            f'{trainer.checkpoint}.'
            if trainer.checkpoint
            else 'what was recorded is in trainer.history. With a file, '
            'Trainer(..., checkpoint=path), a run can go on.'
        )
        super().__init__(
            f'Stopped in epoch {trainer.epoch + 1} of {trainer.max_epochs}, '
            f'after {trainer.train_batch_idx} of {total} minibatches: '
            f'{goes_on}'
        )

    def _render_traceback_(self):  # The name that IPython looks for
        # JupyterLab breaks longer lines in the middle of a word
        return textwrap.wrap(
            str(self), 78, break_long_words=False, break_on_hyphens=False
        )


@contextlib.contextmanager
def deferred() -> Iterator[types.SimpleNamespace]:
    """Within the block, a signal only sets `asked` of what is given.

    A second press of the key interrupts at once. Only in the main thread.
    """
    stop = types.SimpleNamespace(asked=False, again=math.inf)
    around = signal.getsignal(signal.SIGINT)

    def ask(*signal_and_frame):
        if time.monotonic() > stop.again:
            raise KeyboardInterrupt
        if not stop.asked:
            stop.asked = True
            stop.again = time.monotonic() + SECONDS_OF_ONE_PRESS
            if isinstance(around, _Once):
                around.wait()

    # The launcher ends the other processes when the first has stopped
    with _handled(signal.SIG_IGN if workers.rank() else ask):
        yield stop


def once(to_the_end=False):
    """Within the block, a signal interrupts, and those right after it do not.

    So what is kept and told after the first is whole, and what hangs can
    still be stopped. With `to_the_end`, signals are lost after the block.
    """
    return _handled(_Once(), after=signal.SIG_IGN if to_the_end else None)


def ending():
    """Within the block, a signal ends the process at once, without a word.

    It is for imports: libraries catch an exception in them, or print it.
    """
    return _handled(lambda *signal_and_frame: os._exit(130))


def at_once():
    """As `ending`, for what waits where no handler of Python is called."""
    return _handled(signal.SIG_DFL)


class _Once:
    """Interrupts, unless it has done so in the last seconds."""

    until = 0.0

    def wait(self):
        """Interrupt no more for a while: something is to be kept."""
        self.until = time.monotonic() + SECONDS_TO_KEEP

    def __call__(self, *signal_and_frame):
        if time.monotonic() >= self.until:
            self.wait()
            raise KeyboardInterrupt


@contextlib.contextmanager
def _handled(handler, after=None):
    """Let `handler` take the signals in the block, and `after` the rest."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.getsignal(each) for each in SIGNALS}
    # What `nohup` has started is to outlive its terminal
    if before[SIGNALS[-1]] == signal.SIG_IGN:
        del before[SIGNALS[-1]]
    for signum in before:
        signal.signal(signum, handler)
    try:
        yield
    finally:
        for signum, known in before.items():
            signal.signal(signum, known if after is None else after)
