"""A file in the format IDX, believed by the SHA-256 of its content alone.

So it may be plain or packed, by any packer, and is never half read.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from typing import Iterable, NamedTuple

import numpy as np

from d2l_vgg.datasets.places import absolute
from d2l_vgg.files import open_regular


class BadFile(ValueError):
    """A file that is there and is not what its name says.

    `state` is one of 'truncated', 'altered', 'not IDX' and 'not CSV'.
    """

    def __init__(self, path, state, detail):
        super().__init__(
            f'{path} is {state}: {detail}; delete it to have it downloaded '
            'again, or name another folder.'
        )
        self.path, self.state = path, state


class CannotRead(OSError):
    """A file or a folder that is there, whole perhaps, and is not read."""

    def __init__(self, path, error):
        super().__init__(
            f'{path} cannot be read ({error.strerror or error}): mend that, '
            'or name another folder.'
        )
        self.path = path


class File(NamedTuple):
    """One file: its name when unpacked, its array's shape, its SHA-256."""

    name: str
    shape: tuple[int, ...]
    sha256: str

    @property
    def header(self) -> bytes:
        """What the content begins with: the magic number and the shape."""
        magic = bytes([0, 0, 8, len(self.shape)])
        return magic + np.array(self.shape, '>i4').tobytes()

    @property
    def num_bytes(self) -> int:
        """The size of the uncompressed content."""
        return len(self.header) + int(np.prod(self.shape))

    @property
    def archive(self) -> str:
        """The name that the file has on the mirrors, packed by gzip."""
        return self.name + '.gz'

    def paths_in(self, folder: str) -> list[str]:
        """Return the paths at which a folder holds it, good or bad.

        Names are compared without regard to capitals. 7-Zip unpacks to a
        name with a dot, such as `train-images.idx3-ubyte`.

        Raises:
            CannotRead: the folder is there and cannot be looked into.
        """
        dotted = self.name.replace('-idx', '.idx')
        names = [
            known + suffix
            for known in (self.name, dotted)
            for suffix in ('', '.gz')
        ]
        return paths_of(names, folder)

    def state(self, path: str) -> str:
        """Return 'whole', or the `state` of the `BadFile` at `path`.

        Raises:
            CannotRead: that cannot be known.
        """
        try:
            read(path, self)
        except BadFile as error:
            return error.state
        return 'whole'


def paths_of(names: Iterable[str], folder: str) -> list[str]:
    """Return the files of a folder that have one of these names, in order.

    Raises:
        CannotRead: the folder is there and cannot be looked into.
    """
    try:
        found = sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise CannotRead(folder, error) from error
    paths = [
        os.path.join(folder, entry)
        for name in names
        for entry in found
        if entry.lower() == name
    ]
    return [path for path in paths if os.path.isfile(path)]


def read(path: str, file: File) -> np.ndarray:
    """Read one file, plain or packed, and return its uint8 array.

    Args:
        path: where it is.
        file: the `File` that it should be.

    Raises:
        BadFile: the content is not that of `file`, to the last bit.
        CannotRead: the system does not give it.
    """
    path = absolute(path)
    try:
        with open_regular(path) as opened:
            packed = opened.read(2) == b'\x1f\x8b'
            opened.seek(0)
            with gzip.open(opened) if packed else opened as unpacked:
                # The byte too much makes gzip check its sum, and shows a
                # file that is too long without reading all of it
                content = unpacked.read(file.num_bytes + 1)
    except EOFError:
        raise BadFile(
            path, 'truncated', 'its gzip data end too early'
        ) from None
    except (zlib.error, gzip.BadGzipFile):
        raise BadFile(path, 'altered', 'its gzip data are damaged') from None
    except OSError as error:
        raise CannotRead(path, error) from error
    magic = file.header[:4]
    if content[:4] != magic[: len(content)]:
        raise BadFile(
            path,
            'not IDX',
            f'it should begin with the bytes {magic.hex()} and begins with '
            f'{content[:4].hex()}',
        )
    if len(content) < file.num_bytes:
        raise BadFile(
            path,
            'truncated',
            f'it holds {len(content)} of {file.num_bytes} bytes',
        )
    if len(content) > file.num_bytes:
        raise BadFile(
            path, 'altered', f'it holds more than {file.num_bytes} bytes'
        )
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != file.sha256:
        raise BadFile(
            path,
            'altered',
            f'its SHA-256 is {sha256[:8]}..., not {file.sha256[:8]}... '
            "(MNIST, and MXNet's own archive, have files of the same names)",
        )
    array = np.frombuffer(content, np.uint8, offset=len(file.header))
    return array.reshape(file.shape).copy()
