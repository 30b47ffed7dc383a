"""The hosts of a training, and how many workers each of them has."""

from __future__ import annotations

import functools
import os
import re
import socket
from typing import NamedTuple

from d2l_vgg import gpus
from d2l_vgg.files import open_regular

# What a host's own users call it
LOCAL = re.compile(r'localhost|127\.[0-9.]+|::1')
# A name or an address, of letters that mean nothing to a shell, and a number
LINE = re.compile(
    r'([A-Za-z0-9_:][A-Za-z0-9_.:-]{,252})(?:\s+0*([1-9][0-9]{,3}))?'
)
# Of one processor; more would only wait for one another
MOST_WORKERS = 8


class Host(NamedTuple):
    """A machine, by the name or the address at which the others reach it."""

    name: str
    num_workers: int

    @property
    def is_here(self) -> bool:
        return self.name == socket.gethostname() or is_own(self.name)


@functools.cache
def is_own(name: str) -> bool:
    """Return whether one can listen at `name` here."""
    try:
        with socket.create_server((name, 0)):
            return True
    except (OSError, UnicodeError):
        return False


def here(num_workers: int) -> list[Host]:
    """Return this machine alone.

    Raises:
        ValueError: so many workers are too many for it.
    """
    host = Host('127.0.0.1', num_workers)
    check_room(host)
    return [host]


def read(path: str, num_workers: int) -> list[Host]:
    """Return the hosts that a file names, one a line.

    A line is a name or an address and, after a blank, how many workers that
    host has, 1 if it does not tell; what follows on `#` is a remark. The
    workers meet at the first host.

    Args:
        path: the file
        num_workers: how many workers there are to be

    Raises:
        OSError: the file cannot be read.
        ValueError: a line is none, a host stands there twice, one of several
            is named so that the others cannot reach it, they have another
            number of workers, or this one has too many.
    """
    hosts = []
    with open_regular(
        path, 'r', encoding='utf-8-sig', errors='replace'
    ) as file:
        for number, line in enumerate(file, 1):
            told = line.partition('#')[0].strip()
            if not told:
                continue
            match = LINE.fullmatch(told)
            if match is None:
                raise ValueError(
                    f'Line {number} of {path} is {told[:60]!r}: it must be '
                    'a host and how many workers it has, such as "gpu1 4".'
                )
            hosts.append(Host(match[1], int(match[2] or 1)))
    check(hosts, path, num_workers)
    return hosts


def check(hosts: list[Host], path: str, num_workers: int) -> None:
    """Refuse hosts that cannot train together, as `read` tells."""
    seen = set()
    for name, _ in hosts:
        if name in seen:
            raise ValueError(
                f'{path} names {name} twice: name each host once, with how '
                'many workers it has.'
            )
        seen.add(name)
        if len(hosts) > 1 and LOCAL.fullmatch(name):
            raise ValueError(
                f'{path} names {name}, which is another machine on each '
                'host: name this one by the address that the others reach.'
            )
    total = sum(host.num_workers for host in hosts)
    if total != num_workers:
        raise ValueError(
            f'--workers is {num_workers}, but the hosts in {path} have '
            f'{total}: let both be the same.'
        )
    for host in hosts:
        if host.is_here:
            check_room(host)


def check_room(host: Host) -> None:
    """Refuse more workers on this machine than make any sense."""
    processors = os.cpu_count() or 1
    most = max(processors * MOST_WORKERS, len(gpus.names()))
    if host.num_workers > most:
        raise ValueError(
            f'{host.num_workers} workers are too many for this machine and '
            f'its {processors} processors: start at most {most} here.'
        )
