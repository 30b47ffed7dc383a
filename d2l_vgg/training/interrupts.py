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
from collections.abc import Callable, Iterator
from typing import Any

from d2l_vgg.training import workers

KEYS = {signal.SIGINT, signal.SIGTERM}
# Of a lost terminal, and of batch systems before they end a job. Windows has
# none of them
OTHERS = {'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGXCPU'} & set(dir(signal))

# What was interrupted ends within this time, or is ended
SECONDS_TO_END = 5

# A key that is held down sends signal after signal
SECONDS_OF_ONE_PRESS = 0.5


class Stopped(KeyboardInterrupt):
    """A run has been stopped between two steps; the message says where."""

    def __init__(self, trainer: Any) -> None:
        total = trainer.max_epochs * trainer.num_train_batches
        way = 'trainer.fit(model, data, resume=True) goes on from '
        way += f'{trainer.checkpoint}.'
        if not trainer.checkpoint:
            way = 'what was recorded is in trainer.history. With a file, '
            way += 'Trainer(..., checkpoint=path), a run can go on.'
        super().__init__(
            f'Stopped in epoch {trainer.epoch + 1} of {trainer.max_epochs}, '
            f'after {trainer.train_batch_idx} of {total} steps: {way}'
        )

    def _render_traceback_(self):  # The name that IPython looks for
        # JupyterLab breaks longer lines in the middle of a word
        return textwrap.wrap(
            str(self), 78, break_long_words=False, break_on_hyphens=False
        )


class Presses:
    """A handler of signals: `asked` to end; press number `limit` raises."""

    asked = False
    last_words: Callable = staticmethod(lambda: None)

    def __init__(self, limit: int) -> None:
        self.limit, self.count, self.until = limit, 0, -math.inf

    def __call__(self, signum, frame):
        # Once: what is kept and told after it is to be whole
        if self.count < self.limit and self.add(signum) == self.limit:
            raise KeyboardInterrupt

    def add(self, signum: int) -> int:
        """Return how many presses there were, with this signal."""
        now = time.monotonic()
        # The system repeats SIGXCPU by itself
        if not self.asked or (signum in KEYS and now > self.until):
            self.asked = True
            self.count += 1
            self.until = now + SECONDS_OF_ONE_PRESS
        return self.count

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """End the process, after `last_words()`, if an interrupt does not.

        That may wait for code that is not Python's, and is lost where it is
        raised in a callback of Python's garbage collection.
        """
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        ended = threading.Event()

        def watch():
            presses = Presses(self.limit)
            while presses.count < self.limit and not ended.is_set():
                for signum in os.read(reader, 1):
                    presses.add(signum)
            if not ended.wait(SECONDS_TO_END):
                try:
                    self.last_words()
                finally:
                    os._exit(130)
            os.close(reader)

        threading.Thread(target=watch, daemon=True).start()
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        try:
            yield
        finally:
            ended.set()
            signal.set_wakeup_fd(-1)
            os.close(writer)


@contextlib.contextmanager
def deferred() -> Iterator[Presses]:
    """Within the block, a signal only sets `asked` of what is given.

    A second press of the key interrupts at once. Only in the main thread.
    """
    stop = signal.getsignal(signal.SIGINT)
    if workers.rank() or not isinstance(stop, Presses):
        stop = Presses(2)
        # The launcher ends the other processes when the first has stopped
        with _handled(signal.SIG_IGN if workers.rank() else stop):
            yield stop
        return
    before, stop.limit = stop.limit, 2
    try:
        yield stop
    finally:
        # What is kept of it is not to be interrupted
        stop.limit = 0 if stop.asked else before


@contextlib.contextmanager
def before_end(last_words: Callable) -> Iterator[None]:
    """Within the block, a command that has to be ended calls that before."""
    stop = signal.getsignal(signal.SIGINT)
    if not isinstance(stop, Presses):  # Not in the main thread
        stop = Presses(0)
    stop.last_words = last_words
    try:
        yield
    finally:
        del stop.last_words


@contextlib.contextmanager
def once(to_the_end=False):
    """Within the block, a signal interrupts, and those after it do not.

    With `to_the_end`, signals are lost after the block. KeyboardInterrupt
    is raised at its end, too, if it was lost within.
    """
    stop = Presses(1)
    with _handled(stop, after=signal.SIG_IGN if to_the_end else None) as main:
        watched = main and os.name == 'posix'
        with stop.watched() if watched else contextlib.nullcontext():
            yield
            if stop.asked:
                raise KeyboardInterrupt


def ending():
    """Within the block, a signal ends the process at once, without a word.

    It is for imports: libraries catch an exception in them, or print it.
    """
    return _handled(lambda *signal_and_frame: os._exit(130))


def at_once():
    """As `ending`, for what waits where no handler of Python is called."""
    return _handled(signal.SIG_DFL)


@contextlib.contextmanager
def _handled(handler, after=None):
    """Let `handler` take the signals in the block, and `after` the rest.

    It is told whether it does: only in the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield False
        return
    before = {each: signal.getsignal(each) for each in KEYS}
    for name in OTHERS:
        signum = getattr(signal, name)
        known = signal.getsignal(signum)
        # Not where `nohup` ignores it, or a program takes it for itself
        if known == signal.SIG_DFL or isinstance(known, Presses):
            before[signum] = known
    for signum in before:
        signal.signal(signum, handler)
    try:
        yield True
    finally:
        for signum, known in before.items():
            signal.signal(signum, known if after is None else after)
