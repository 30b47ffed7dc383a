"""Ctrl-C and `kill` as requests: a step that has begun is finished first.

A run that is stopped between two steps can be saved and continued; one that
is stopped in the middle of a step could not.
"""

import contextlib
import signal
import threading


class Stop:
    """Whether somebody has asked the run to stop."""

    asked = False


@contextlib.contextmanager
def deferred():
    """Within the block, SIGINT and SIGTERM only set `asked` of what is given.

    A second signal interrupts at once. Signals reach Python's main thread
    only, so elsewhere the block changes nothing.
    """
    stop = Stop()

    def ask(signum, frame):
        if stop.asked:
            raise KeyboardInterrupt
        stop.asked = True

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(signum, ask) for signum in signals]
    try:
        yield stop
    finally:
        for signum, handler in zip(signals, before):
            signal.signal(signum, handler)
