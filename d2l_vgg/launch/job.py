"""A training by several workers, from its start to its end."""

from __future__ import annotations

import signal
import time

from d2l_vgg.launch.hosts import Host
from d2l_vgg.launch.plan import plan
from d2l_vgg.launch.processes import Process

# How often it is looked whether a process has ended
SECONDS_BETWEEN = 0.05
# How long the first worker has to tell what went wrong, if it saw it, too
SECONDS_TO_TELL = 3


def train(
    hosts: list[Host], framework: str, port: int | None, command: list[str]
) -> int:
    """Let workers on these hosts run a command, and return its status.

    That is the one of the first worker, which keeps the run. All are ended
    when one of them is gone; at Ctrl-C the first one stops and saves the run.

    Args:
        hosts: where they run; they meet at the first
        framework: whose engine they use
        port: of their meeting; None for one that is free
        command: what each of them runs

    Raises:
        ChildProcessError: one is gone, or could not start.
        OSError: there is no such host.
    """
    processes: list[Process] = []
    try:
        for role in plan(hosts, framework, port):
            processes.append(Process(role, command))
        first = next(p for p in processes if p.name.startswith('Worker 0'))
        try:
            return watch(processes, first)
        except KeyboardInterrupt:
            first.stop()
            return watch(processes, first) or 130
    finally:
        for process in processes:
            process.let_go()
        for process in processes:
            process.end()


def watch(processes: list[Process], first: Process) -> int:
    """Return the status of the first worker, once it has ended by itself.

    Raises:
        ChildProcessError: it was ended by a signal or cannot be reached, or
            another one is gone.
        KeyboardInterrupt: it was ended so, before it could heed it.
    """
    others = [process for process in processes if process is not first]
    while first.status is None:
        gone = next((p for p in others if p.status), None)
        if gone is not None:
            refuse(gone, first)
            break
        time.sleep(SECONDS_BETWEEN)
    if first.status == -signal.SIGINT:
        raise KeyboardInterrupt
    if first.status < 0 or first.is_unreachable:  # type: ignore[operator]
        raise lost(first)
    return first.status  # type: ignore[return-value]


def refuse(gone: Process, first: Process) -> None:
    """Raise that a process is gone, unless the first worker tells why.

    Raises:
        ChildProcessError: as told.
    """
    if gone.status > 0:  # type: ignore[operator]
        end = time.monotonic() + SECONDS_TO_TELL
        while time.monotonic() < end and first.status is None:
            time.sleep(SECONDS_BETWEEN)
    if first.status is None or first.status <= 0:
        raise lost(gone)


def lost(process: Process) -> ChildProcessError:
    """Return the error that a process is gone."""
    return ChildProcessError(
        f'{process.ending()}; all workers were ended. A run that had begun '
        'goes on from its last checkpoint with `--resume` and its folder, '
        'with as many workers as you like.'
    )
