"""Which of several processes that train one network this one is.

Their launcher tells it by the environment. What they do together is in
`d2l_vgg.training.processes`. NumPy, slow to import, is not needed here.
"""

import contextlib
import os
import re
import sys
import time
import zlib
from collections.abc import Iterator

# What torchrun calls a number, and what Open MPI does
OPEN_MPI = {
    'WORLD_SIZE': 'OMPI_COMM_WORLD_SIZE',
    'RANK': 'OMPI_COMM_WORLD_RANK',
    'LOCAL_RANK': 'OMPI_COMM_WORLD_LOCAL_RANK',
    'LOCAL_WORLD_SIZE': 'OMPI_COMM_WORLD_LOCAL_SIZE',
}
# How long the first process has to tell an error before another one does
SECONDS_TO_TELL = 5
# How long it waits for all to be there; some engines give up after 300
SECONDS_TO_MEET = 180


def number(name: str, default: int) -> int:
    """Return what the environment tells under this name of torchrun's."""
    if not os.environ.get('WORLD_SIZE'):
        name = OPEN_MPI.get(name, name)
    text = os.environ.get(name, '') or str(default)
    if not re.fullmatch('[0-9]{1,9}', text):
        raise ValueError(
            f'${name} is {text!r}: it must be a whole number, as torchrun '
            'and mpirun set it.'
        )
    return int(text)


def count() -> int:
    """Return how many processes there are, 1 without any other."""
    return max(1, number('WORLD_SIZE', 1))


def rank() -> int:
    """Return which process this is; the first, 0, keeps the run."""
    found = number('RANK', 0) if count() > 1 else 0
    if found >= count():
        raise ValueError(
            f'The rank of this process is {found}, but there are only '
            f'{count()}: it must be 0 to {count() - 1}.'
        )
    return found


def is_one_machine() -> bool:
    """Return whether all processes are on this machine."""
    return number('LOCAL_WORLD_SIZE', count()) == count()


def address() -> tuple[str, int]:
    """Return the host and the port at which they meet.

    Raises ValueError where several machines are not told.
    """
    if 'MASTER_ADDR' not in os.environ and not is_one_machine():
        raise ValueError(
            'The processes are on several machines and have to know where '
            'they meet: start them by mpirun -x MASTER_ADDR=HOST -x '
            'MASTER_PORT=29500, with the host of the first one.'
        )
    job = os.environ.get('PMIX_NAMESPACE', '').encode()
    # Unlikely to be that of another job, and below those of connections
    port = 10000 + zlib.crc32(job) % 20000
    host = os.environ.get('MASTER_ADDR', '127.0.0.1')
    return host, number('MASTER_PORT', port)


def announce(is_private: bool) -> None:
    """Tell that the first process waits; OSError if nobody can listen.

    `is_private` tells whether on one machine only that can reach the others.
    """
    import socket  # Nobody else needs it

    host, port = address()
    try:
        if 'TORCHELASTIC_RUN_ID' not in os.environ:  # torchrun listens
            socket.create_server((host, port)).close()
    except OSError as error:
        raise OSError(
            f'The processes cannot meet at {host}:{port} '
            f'({error.strerror or error}): set another MASTER_PORT.'
        ) from error
    text = f'The first of {count()} processes waits for the others at'
    tell(f'{text} {host}:{port}.')
    if not (is_private and is_one_machine()):
        tell('Whoever reaches the ports of these can run code in them.')


def give_up() -> None:
    """End where some have not come, which engines would wait for."""
    host, port = address()
    tell(
        f'Worker {rank()} of {count()} has waited {SECONDS_TO_MEET} seconds '
        f'for the others at {host}:{port}: start all of them, with an '
        'address that reaches the first.'
    )
    os._exit(1)


def tell(text: str) -> None:
    print(f'd2l-vgg: {text}', file=sys.stderr, flush=True)


def leave() -> None:
    """Forget the other processes: what follows is not shared with them."""
    for name in [*OPEN_MPI, *OPEN_MPI.values()]:
        os.environ.pop(name, None)


@contextlib.contextmanager
def told_by_first() -> Iterator[None]:
    """Let the first process tell an error that most likely all have."""
    try:
        yield
    except Exception:
        if rank():
            time.sleep(SECONDS_TO_TELL)
        raise
