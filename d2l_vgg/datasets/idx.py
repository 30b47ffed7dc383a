"""One file in the format IDX: an array of bytes, packed by gzip or not."""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from typing import Any

import numpy as np

from d2l_vgg.files import open_regular

# Larger ones than any set of small images would fill the memory
MAX_BYTES = 2**31
# Read at once, so that nothing is in memory twice
CHUNK = 2**20


class BadFile(ValueError):
    """A file of images or labels that is not what it should be."""


def find(folder: str, name: str) -> str | None:
    """Return the path of a file in a folder, None where it is not there.

    It may end in `.gz`. Capitals do not count, nor whether `idx` follows a
    dash or, as 7-Zip unpacks it, a dot.
    """
    wanted = [name, name + '.gz']
    for entry in sorted(os.listdir(folder)):
        if entry.lower().replace('.idx', '-idx') in wanted:
            return os.path.join(folder, entry)
    return None


def read(path: str, num_dims: int) -> np.ndarray:
    """Return the array of a file, uint8 with `num_dims` dimensions.

    Raises:
        BadFile: the content is not IDX, or not as long as it declares.
        OSError: the file is not there, or cannot be read.
    """
    try:
        with open_regular(path) as file:
            packed = file.read(2) == b'\x1f\x8b'
            file.seek(0)
            with gzip.open(file) if packed else file as content:
                return _read(path, content, num_dims)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadFile(
            f'{path} is cut short or damaged ({error}): copy it again.'
        ) from None


def _read(path: str, content: Any, num_dims: int) -> np.ndarray:
    header = content.read(4 + 4 * num_dims)
    magic = bytes([0, 0, 8, num_dims])
    if header[:4] != magic:
        raise BadFile(
            f'{path} begins with the bytes {header[:4].hex() or "(none)"}: '
            f'an IDX file of bytes in {num_dims} '
            f'dimension{"s"[: num_dims > 1]} begins with {magic.hex()}.'
        )
    if len(header) < 4 + 4 * num_dims:
        raise BadFile(f'{path} is cut short: copy it again.')
    shape = struct.unpack_from(f'>{num_dims}I', header, 4)
    declared = ' x '.join(map(str, shape))
    num_bytes = math.prod(shape)
    if not 0 < num_bytes <= MAX_BYTES:
        raise BadFile(
            f'{path} declares {declared} bytes: take a file of 1 to '
            f'{MAX_BYTES} bytes.'
        )
    array = np.empty(num_bytes, np.uint8)
    done = 0
    while done < num_bytes:
        chunk = content.read(min(CHUNK, num_bytes - done))
        if not chunk:
            raise BadFile(
                f'{path} is cut short: it declares {declared} bytes and '
                f'holds {done}; copy it again.'
            )
        array[done : done + len(chunk)] = np.frombuffer(chunk, np.uint8)
        done += len(chunk)
    if content.read(1):  # Which lets gzip check its sum, too
        raise BadFile(
            f'{path} goes on after the {declared} bytes that it declares: '
            'copy it again.'
        )
    return array.reshape(shape)
