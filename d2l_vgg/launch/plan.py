"""Which processes a training has, and what each of them is told."""

from __future__ import annotations

import json
import socket
from typing import NamedTuple

from d2l_vgg.launch.hosts import Host
from d2l_vgg.training.workers import LISTENS

# torchrun's, for a host of which it is not known which ports are free
PORT = 29500


class Role(NamedTuple):
    """A process that is to be started.

    `name` is what an error calls it, `environment` what it finds in its
    environment besides; what it prints is `shown`, or not.
    """

    name: str
    host: Host
    environment: dict
    shown: bool = False


def plan(hosts: list[Host], framework: str, port: int | None) -> list[Role]:
    """Return the processes in the order in which they are started.

    Args:
        hosts: where they run; they meet at the first
        framework: whose engine they use
        port: of their meeting; None for one that is free

    Raises:
        OSError: there is no such host.
        ValueError: above `port` there are too few for so many workers.
    """
    if port is None:
        port = free_port() if hosts[0].is_here else PORT
    total = sum(host.num_workers for host in hosts)
    shared = {
        'WORLD_SIZE': total,
        'MASTER_ADDR': hosts[0].name,
        'MASTER_PORT': port,
    }
    servers = []
    if framework == 'mxnet':
        shared.update(
            DMLC_PS_ROOT_URI=find_address(hosts[0].name),
            DMLC_PS_ROOT_PORT=port,
            DMLC_NUM_WORKER=total,
            DMLC_NUM_SERVER=len(hosts),
        )
        servers = store(hosts, shared)
    placed = [
        (host, number) for host in hosts for number in range(host.num_workers)
    ]
    workers = []
    for rank, (host, number) in enumerate(placed):
        told = {
            LISTENS: int(rank == 0 and not servers),
            'RANK': rank,
            'LOCAL_RANK': number,
            'LOCAL_WORLD_SIZE': host.num_workers,
        }
        workers.append(
            Role(
                f'Worker {rank} of {total}',
                host,
                {**shared, **told},
                shown=rank == 0,
            )
        )
    if framework == 'tensorflow':
        tell_addresses(workers, port)
    return servers + workers


def find_address(name: str) -> str:
    """Return the address of a host.

    Raises:
        OSError: there is no such host.
    """
    try:
        return socket.gethostbyname(name)
    except (OSError, UnicodeError) as error:
        raise OSError(
            f'The host {name} cannot be found: see how the file of hosts '
            'writes it, or write its address.'
        ) from error


def store(hosts: list[Host], shared: dict) -> list[Role]:
    """Return the scheduler and the servers of MXNet's key-value store."""
    roles = [('scheduler', hosts[0]), *(('server', host) for host in hosts)]
    return [
        Role(
            f"MXNet's {role}",
            host,
            {
                **shared,
                LISTENS: int(role == 'scheduler'),
                'DMLC_ROLE': role,
            },
        )
        for role, host in roles
    ]


def tell_addresses(workers: list[Role], port: int) -> None:
    """Tell each of TensorFlow's workers where it and all others listen."""
    here = all(worker.host.is_here for worker in workers)
    if not here and port + len(workers) > 2**16:
        raise ValueError(
            f'--port is {port}, and {len(workers)} workers take as many '
            f'ports from there on: choose one up to {2**16 - len(workers)}.'
        )
    addresses = [
        f'{worker.host.name}:{free_port() if here and i else port + i}'
        for i, worker in enumerate(workers)
    ]
    for i, worker in enumerate(workers):
        worker.environment['TF_CONFIG'] = json.dumps(
            {
                'cluster': {'worker': addresses},
                'task': {'type': 'worker', 'index': i},
            }
        )


def free_port() -> int:
    """Return a port of this machine at which nobody listens."""
    with socket.create_server(('', 0)) as server:
        return server.getsockname()[1]
