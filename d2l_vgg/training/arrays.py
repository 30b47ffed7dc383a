"""Arrays by name, and what is to be told of them, in one file.

The file is NumPy's .npz, whatever the framework, with a JSON text and a
digest of everything as two more entries. It is written whole or not at all,
and nothing in it is ever executed.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import math
import os
import zipfile
from typing import Any

import numpy as np

from d2l_vgg.files import open_regular, write_whole

# Name -> array
Arrays = dict[str, np.ndarray]

_META, _DIGEST = 'meta.json', 'sha256'


class BadArrays(ValueError):
    """A file of arrays is damaged, or holds others than those wanted."""


def save(path: str, arrays: Arrays, meta: dict[str, Any]) -> str:
    """Write `arrays` (name -> NumPy array) and `meta` (JSON-able) to `path`.

    Returns:
        The digest, a text of 64 digits.

    Raises:
        OSError: the folder cannot be written or the disk is full; what was
            at `path` before is still there.
    """
    found = digest(arrays, meta)
    told = {_META: _bytes(json.dumps(meta)), _DIGEST: _bytes(found)}
    entries: dict[str, Any] = {**arrays, **told}

    def write(file):
        # `np.savez` leaves its archive open where the disk is full
        with zipfile.ZipFile(file, 'w') as archive:
            for name, array in entries.items():
                with archive.open(f'{name}.npy', 'w', force_zip64=True) as e:
                    np.lib.format.write_array(
                        e, np.asarray(array), allow_pickle=False
                    )

    write_whole(path, write)
    return found


def load(path: str) -> tuple[Arrays, dict[str, Any]]:
    """Return the arrays and the meta that `save` wrote to `path`.

    Raises:
        BadArrays: the file is damaged, or has no digest.
        OSError: it is not there, or cannot be read.
    """
    with _archive(path) as archive:
        arrays = {name: _read(archive, name) for name in _names(archive)}
        told = _text(arrays.pop(_DIGEST))
        meta = json.loads(_text(arrays.pop(_META)))
        if told != digest(arrays, meta):
            raise ValueError('its digest is another')
        return arrays, meta


def load_meta(path: str) -> dict[str, Any]:
    """Return the meta that `save` wrote to `path`, without the arrays.

    Raises:
        BadArrays: the file is damaged where it is read.
        OSError: it is not there, or cannot be read.
    """
    with _archive(path) as archive:
        return json.loads(_text(_read(archive, _META)))


def digest(arrays: Arrays, meta: dict[str, Any]) -> str:
    """Return the SHA-256 of names, types, shapes, numbers, and of `meta`."""
    found = hashlib.sha256(json.dumps(meta, sort_keys=True).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        about = [name, array.dtype.str, np.shape(arrays[name])]
        found.update(json.dumps(about).encode())
        found.update(array.reshape(-1).view('uint8').data)
    return found.hexdigest()


@contextlib.contextmanager
def _archive(path):
    """Open the file, and tell damage that shows inside this block."""
    with open_regular(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                check_size(archive, os.fstat(file.fileno()).st_size)
                yield archive
        except MemoryError:  # Not the file's fault, nor is a failing disk
            raise
        except Exception as error:  # Damage shows in a dozen ways
            if getattr(error, 'errno', None) not in (None, errno.EINVAL):
                raise
            reason = str(error).strip() or type(error).__name__
            raise BadArrays(f'{path} is damaged ({reason})') from error


def check_size(archive, size):
    """Refuse what unpacks to more than it is: `save` packs nothing.

    Raises:
        ValueError: the entries do not fit into the `size` of the file.
    """
    claimed = sum(entry.file_size for entry in archive.infolist())
    if claimed > size:
        raise ValueError(f'it claims {claimed} bytes and has {size}')


def _names(archive):
    return [name[: -len('.npy')] for name in archive.namelist()]


def _read(archive, name):
    """Return one array, once every byte of it has passed its checksum."""
    file = io.BytesIO(archive.read(f'{name}.npy'))
    np.lib.format.read_magic(file)
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    # NumPy would take the memory first
    if math.prod(shape) * dtype.itemsize > len(file.getbuffer()):
        raise ValueError(f'{name} claims to be {shape} {dtype}')
    file.seek(0)
    return np.load(file, allow_pickle=False)


def _bytes(text):
    return np.frombuffer(text.encode(), dtype='uint8')


def _text(array):
    return array.tobytes().decode()
