"""Fetch files from mirrors, alone in a folder, going on where one broke off.

What the files are is not known here: each says itself whether it is whole.
"""

from __future__ import annotations

import os
import stat
import sys
from typing import Iterable, Protocol

import requests
from tqdm import tqdm

from d2l_vgg.datasets.places import absolute
from d2l_vgg.files import alone_in


class RemoteFile(Protocol):
    """What is known of a file that mirrors have."""

    @property
    def archive(self) -> str:
        """Its name on the mirrors and in the folder."""

    @property
    def num_bytes(self) -> int:
        """Its size when it is unpacked."""

    def paths_in(self, folder: str) -> list[str]:
        """Return the paths at which it may lie in a folder already."""

    def state(self, path: str) -> str:
        """Return 'whole', 'truncated' (more may follow) or what is wrong."""


def fetch(
    files: Iterable[RemoteFile],
    folder: str,
    mirrors: Iterable[str],
    progress: bool = True,
    timeout: float = 10,
) -> list[str]:
    """Download to a folder the files that it does not hold whole.

    A download that breaks leaves a `.part` file, with which it goes on, now
    or the next time. A bad file that stands in the way is renamed. Of several
    processes one works, and the others wait for it.

    Args:
        files: what to download.
        folder: made when it is missing.
        mirrors: addresses of folders, asked in this order.
        progress: whether to show a bar, and a note for a failed mirror.
        timeout: seconds without a byte after which a mirror has failed.

    Returns:
        Why each mirror failed for the first file that none had whole; an
        empty list if there is no such file.

    Raises:
        OSError: the folder cannot be written.
    """
    mirrors, folder = list(mirrors), absolute(folder)
    os.makedirs(folder, exist_ok=True)
    waiting = f'waiting for another download to {folder}'
    with alone_in(folder, lambda: _note(waiting, progress)):
        for file in files:
            if 'whole' in map(file.state, file.paths_in(folder)):
                continue
            failures = _fetch_file(file, folder, mirrors, progress, timeout)
            if failures:
                return failures
    return []


def _note(text, progress):
    if progress:
        tqdm.write(text, file=sys.stderr)


def _fetch_file(file, folder, mirrors, progress, timeout):
    """Download one file; return the failures if no mirror had it whole.

    A mirror that failed moves to the end of the list `mirrors`, so that the
    next file is asked of one that works.
    """
    path = os.path.join(folder, file.archive)
    part = path + '.part'
    failures = []
    for mirror in list(mirrors):
        url = mirror.rstrip('/') + '/' + file.archive
        reason = _fetch_from(url, part, file, progress, timeout)
        if reason is None:
            if os.path.exists(path):
                os.replace(path, _free_name(path + '.bad'))
            os.replace(part, path)
            return []
        _note(f'{url}: {reason}', progress)
        failures.append(f'{mirror} ({reason})')
        mirrors.remove(mirror)
        mirrors.append(mirror)
    return failures


def _fetch_from(url, part, file, progress, timeout):
    """Bring `part` to the whole file; return None or why it failed."""
    most = most_bytes(file)
    _make_way(part, most)
    # Whether all of `part` comes from this address
    anew = not os.path.exists(part)
    while True:
        start = _size(part)
        try:
            _download(url, part, most, progress, timeout)
        except requests.RequestException as error:
            if _size(part) > start:
                continue
            return _reason(error, timeout)
        long = f'longer than {most} bytes'
        state = long if _size(part) > most else file.state(part)
        if state == 'whole':
            return None
        if state == 'truncated' and _size(part) > start:
            continue
        os.remove(part)
        if anew:
            return f'what it sends is {state}'
        anew = True


def most_bytes(file):
    """Return how large a download may be: more than gzip ever makes of it."""
    return file.num_bytes + file.num_bytes // 100 + 2**16


def _make_way(part, most):
    """Remove what is no beginning of a download, such as a planted link."""
    if os.path.lexists(part):
        found = os.lstat(part)
        if not stat.S_ISREG(found.st_mode) or found.st_size > most:
            os.remove(part)


def _download(url, part, most, progress, timeout):
    """Append to `part` what it lacks of the content of `url`.

    It ends when there are more than `most` bytes.
    """
    start = _size(part)
    headers = {'Accept-Encoding': 'identity'}
    if start:
        headers['Range'] = f'bytes={start}-'
    with requests.get(
        url, headers=headers, stream=True, timeout=timeout
    ) as response:
        if start and response.status_code == 416:
            return  # There is no more than this
        response.raise_for_status()
        if response.status_code != 206:
            start = 0  # The server cannot resume and sends it all
        length = int(response.headers.get('Content-Length', 0))
        bar = tqdm(
            desc=os.path.basename(url),
            initial=start,
            total=start + length if length else None,
            unit='B',
            unit_scale=True,
            disable=not progress,
        )
        mode = 'ab' if start else 'wb'
        with open(part, mode, opener=_follow_no_link) as opened, bar:
            # A chunk that breaks off is lost, so they are small
            for chunk in response.iter_content(2**8):
                opened.write(chunk)
                bar.update(len(chunk))
                start += len(chunk)
                if start > most:
                    return


def _follow_no_link(path, flags):
    # Windows has no such flag
    return os.open(path, flags | getattr(os, 'O_NOFOLLOW', 0), 0o666)


def _size(path):
    return os.path.getsize(path) if os.path.exists(path) else 0


def _free_name(path):
    """`path` itself, or with the first number that makes it free."""
    name, i = path, 1
    while os.path.exists(name):
        i += 1
        name = f'{path}{i}'
    return name


def _reason(error, timeout):
    """A failed request in a few words."""
    if getattr(error, 'response', None) is not None:
        return f'answers with status {error.response.status_code}'
    # A time-out in the middle of a body comes as a ConnectionError
    if isinstance(error, requests.Timeout) or 'timed out' in str(error):
        return f'no answer within {timeout} s'
    if isinstance(error, requests.ConnectionError):
        return 'no connection'
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return 'the connection broke'
    return f'the request failed with {type(error).__name__}'
