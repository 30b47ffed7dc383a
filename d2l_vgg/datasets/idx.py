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


class BadFile(ValueError):
    """A file of images or labels that is not what it should be."""


def find(folder: str, name: str) -> str:
    """Return the path of a file in a folder.

    It may end in `.gz`. Capitals do not count, nor whether `idx` follows a
    dash or, as 7-Zip unpacks it, a dot.

    Raises:
        FileNotFoundError: it is not there.
    """
    for entry in sorted(os.listdir(folder)):
        if entry.lower().replace('.idx', '-idx') in (name, name + '.gz'):
            return os.path.join(folder, entry)
    raise FileNotFoundError(
        f'{folder} has no {name}: put it there, packed by gzip or not.'
    )


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
    except (EOFError, zlib.error, gzip.BadGzipFile, struct.error) as error:
        raise BadFile(
            f'{path} is cut short or damaged ({error}): copy it again.'
        ) from None


def _read(path: str, content: Any, num_dims: int) -> np.ndarray:
    header = content.read(4 + 4 * num_dims)
    magic = bytes([0, 0, 8, num_dims])
    if header[:4] != magic:
        raise BadFile(
            f'{path} begins with the bytes {header[:4].hex() or "(none)"}: '
            f'an IDX file of {num_dims}-dimensional bytes begins with '
            f'{magic.hex()}.'
        )
    shape = struct.unpack_from(f'>{num_dims}I', header, 4)
    declared = ' x '.join(map(str, shape))
    num_bytes = math.prod(shape)
    if not 0 < num_bytes <= MAX_BYTES:
        raise BadFile(
            f'{path} declares {declared} bytes: take a file of 1 to '
            f'{MAX_BYTES} bytes.'
        )
    # One byte more lets gzip reach the end, where it checks its sum
    array = np.frombuffer(bytearray(content.read(num_bytes + 1)), 'uint8')
    if len(array) != num_bytes:
        found = 'more' if len(array) > num_bytes else len(array)
        raise BadFile(
            f'{path} declares {declared} bytes and holds {found}: copy it '
            'again.'
        )
    return array.reshape(shape)
