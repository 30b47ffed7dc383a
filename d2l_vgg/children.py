"""Processes that end with the one that has started them, however that ends.

Each watches its standard input, whose other end the system closes for a
process that is killed, too.
"""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def started(words: list[str], **options: Any) -> Iterator[subprocess.Popen]:
    """Start a process for the block, which is to call `end_with_parent`.

    With all that it has started it is killed at the end of the block.
    """
    reader, writer = os.pipe()
    process = subprocess.Popen(
        words, stdin=reader, start_new_session=True, **options
    )
    os.close(reader)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(writer)


def end_with_parent() -> None:
    """Kill this process and all of its group when its input ends."""

    def watch():
        os.read(0, 1)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
