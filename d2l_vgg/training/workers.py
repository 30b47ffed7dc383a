"""Which of several processes that train one network this one is.

The environment tells it, by the names that `torchrun` has given these
numbers, and `d2l-vgg launch` gives them: `$RANK` of `$WORLD_SIZE`, which meet
at `$MASTER_ADDR` and `$MASTER_PORT`. What they do together is in
`d2l_vgg.training.team`. NumPy, which is slow to import, is not needed here.
"""

from __future__ import annotations

import os
import re

# Set by `d2l-vgg launch`: whether they meet at the address of this process
LISTENS = 'D2L_VGG_LISTENS'


def number(name: str, default: int) -> int:
    """Return what the environment tells under this name.

    Raises:
        ValueError: it tells something else than a number.
    """
    text = os.environ.get(name, '') or str(default)
    if not re.fullmatch('[0-9]{1,9}', text):
        raise ValueError(
            f'${name} is {text!r}: it must be a whole number, as `d2l-vgg '
            'launch` and torchrun set it.'
        )
    return int(text)


def rank() -> int:
    """Return which worker this process is; the first, 0, keeps the run."""
    return number('RANK', 0) if count() > 1 else 0


def count() -> int:
    """Return how many workers there are, 1 without any other."""
    return max(1, number('WORLD_SIZE', 1))


def address() -> tuple[str, int]:
    """Return the host and the port at which they meet."""
    host = os.environ.get('MASTER_ADDR', '127.0.0.1')
    return host, number('MASTER_PORT', 29500)


def check_free(host: str, port: int) -> None:
    """Refuse an address at which somebody listens already.

    Raises:
        OSError: it is taken, or none of this machine.
    """
    import socket  # Only who listens needs it

    try:
        with socket.create_server((host, port)):
            pass
    except OSError as error:
        raise OSError(
            f'The workers cannot meet at {host}, port {port} '
            f'({error.strerror or error}): choose another with --port, or '
            'end what listens there.'
        ) from error
