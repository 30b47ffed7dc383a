"""The hosts of a training, and how many workers each of them has."""

from __future__ import annotations

import socket
from typing import NamedTuple

from d2l_vgg.files import open_regular

LOCAL = ('localhost', '127.0.0.1', '::1')


class Host(NamedTuple):
    """A machine, by the name or the address at which the others reach it."""

    name: str
    num_workers: int

    @property
    def is_here(self) -> bool:
        return self.name in (*LOCAL, socket.gethostname(), socket.getfqdn())


def here(num_workers: int) -> list[Host]:
    """Return this machine alone."""
    return [Host('127.0.0.1', num_workers)]


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
            is named so that the others cannot reach it, or they have another
            number of workers.
    """
    hosts = []
    with open_regular(path, 'r', encoding='utf-8') as file:
        for number, line in enumerate(file, 1):
            words = line.partition('#')[0].split()
            if not words:
                continue
            name, *rest = words
            if (
                name.startswith('-')  # ssh would take it for an option
                or len(rest) > 1
                or not all(word.isdecimal() and int(word) for word in rest)
            ):
                raise ValueError(
                    f'Line {number} of {path} is {line.strip()!r}: it must '
                    'be a host and how many workers it has, such as '
                    '"gpu1 4".'
                )
            hosts.append(Host(name, int(rest[0]) if rest else 1))
    check(hosts, path, num_workers)
    return hosts


def check(hosts: list[Host], path: str, num_workers: int) -> None:
    """Refuse hosts that cannot train together, as `read` tells."""
    names = [host.name for host in hosts]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(
                f'{path} names {name} twice: name each host once, with how '
                'many workers it has.'
            )
        if len(hosts) > 1 and name in LOCAL:
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
