"""A training by several workers, from its start to its end."""

from __future__ import annotations

import socket
import time

from d2l_vgg.launch.hosts import Host
from d2l_vgg.launch.processes import Process
from d2l_vgg.training.workers import LISTENS

# How often it is looked whether a process has ended
SECONDS_BETWEEN = 0.05
# How long others may take to end on their own after one of them has
SECONDS_TO_END = 10
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
        for described in describe(hosts, framework, port):
            processes.append(Process(command=command, **described))
        first = next(p for p in processes if p.name.startswith('Worker 0'))
        try:
            return watch(processes, first)
        except KeyboardInterrupt:
            first.stop()
            return watch(processes, first) or 130
    finally:
        for process in processes:
            process.end()


def describe(
    hosts: list[Host], framework: str, port: int | None
) -> list[dict]:
    """Return what each process is started with, in order."""
    total = sum(host.num_workers for host in hosts)
    meeting = hosts[0]
    if port is None:
        port = free_port() if meeting.is_here else 29500
    shared = {
        'WORLD_SIZE': total,
        'MASTER_ADDR': meeting.name,
        'MASTER_PORT': port,
    }
    listens = {LISTENS: 1}
    found = []
    if framework == 'mxnet':
        shared.update(
            DMLC_PS_ROOT_URI=socket.gethostbyname(meeting.name),
            DMLC_PS_ROOT_PORT=port,
            DMLC_NUM_WORKER=total,
            DMLC_NUM_SERVER=len(hosts),
        )
        roles = [('scheduler', meeting, listens)]
        roles += [('server', host, {}) for host in hosts]
        found += [
            {
                'name': f"MXNet's {role}",
                'host': host,
                'environment': {**shared, **more, 'DMLC_ROLE': role},
                'shown': False,
            }
            for role, host, more in roles
        ]
        listens = {}
    rank = 0
    for host in hosts:
        for local_rank in range(host.num_workers):
            numbers = {
                'RANK': rank,
                'LOCAL_RANK': local_rank,
                'LOCAL_WORLD_SIZE': host.num_workers,
                **({} if rank else listens),
            }
            found.append(
                {
                    'name': f'Worker {rank} of {total}',
                    'host': host,
                    'environment': {**shared, **numbers},
                    'shown': rank == 0,
                }
            )
            rank += 1
    return found


def free_port() -> int:
    """Return a port of this machine at which nobody listens."""
    with socket.create_server(('', 0)) as server:
        return server.getsockname()[1]


def watch(processes: list[Process], first: Process) -> int:
    """Return the status of the first worker, once it has ended by itself.

    Raises:
        ChildProcessError: it was ended by a signal, or another one is gone.
    """
    others = [process for process in processes if process is not first]
    while first.status is None:
        gone = next((p for p in others if p.status), None)
        if gone is not None:
            refuse(gone, first)
            break
        time.sleep(SECONDS_BETWEEN)
    if first.status < 0:  # type: ignore[operator]
        raise lost(first)
    if first.status == 0:
        wait([p for p in others if p.name.startswith('Worker')])
    return first.status  # type: ignore[return-value]


def refuse(gone: Process, first: Process) -> None:
    """Raise that a process is gone, unless the first worker tells why.

    Raises:
        ChildProcessError: as told.
    """
    if gone.status > 0:  # type: ignore[operator]
        wait([first], SECONDS_TO_TELL)
    if first.status is None or first.status <= 0:
        raise lost(gone)


def wait(processes: list[Process], seconds: float = SECONDS_TO_END) -> None:
    """Wait until all have ended, but no longer than so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and None in [p.status for p in processes]:
        time.sleep(SECONDS_BETWEEN)


def lost(process: Process) -> ChildProcessError:
    """Return the error that a process is gone."""
    return ChildProcessError(
        f'{process.ending()}; all workers were ended. A run that had begun '
        'goes on from its last checkpoint with `--resume` and its folder, '
        'with as many workers as you like.'
    )
