"""Arrays by name, and what is to be told of them, in one file.

It is one of safetensors, with a JSON text and a digest of everything in its
metadata, written whole or not at all. Nothing in it is ever executed.
"""

import contextlib
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
from safetensors import safe_open

from d2l_vgg.files import open_regular, write_whole

# Name -> array
Arrays = dict[str, np.ndarray]


class BadArrays(ValueError):
    """A file of arrays is damaged; the message is the first half of one."""


class ForeignArrays(BadArrays):
    """A file of arrays was written by others."""


def save(path: str, arrays: Arrays, meta: dict[str, Any]) -> str:
    """Write `arrays` and `meta` (JSON-able) to `path`; return their digest.

    Raises OSError as `files.write_whole`.
    """
    found = digest(arrays, meta)
    write(path, arrays, {'meta': json.dumps(meta), 'sha256': found})
    return found


def load(path: str) -> tuple[Arrays, dict[str, Any]]:
    """Return the arrays and the meta that `save` wrote to `path`.

    Raises BadArrays where they are damaged, and ForeignArrays, one of those,
    where there is no digest; OSError as `files.open_regular`.
    """
    with _opened(path) as file:
        metadata = file.metadata() or {}
        if 'sha256' not in metadata:
            raise ForeignArrays(f'{path} has no digest of this package')
        arrays, meta = _arrays(file), json.loads(metadata['meta'])
        if metadata['sha256'] != digest(arrays, meta):
            raise ValueError('its digest is another')
        return arrays, meta


def load_foreign(path: str) -> Arrays:
    """As `load`, for any file of safetensors, with a digest or without."""
    with _opened(path) as file:
        return _arrays(file)


def digest(arrays: Arrays, meta: dict[str, Any]) -> str:
    """Return the SHA-256 of names, types, shapes, numbers, and of `meta`."""
    found = hashlib.sha256(json.dumps(meta, sort_keys=True).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        about = [name, array.dtype.str, np.shape(arrays[name])]
        found.update(json.dumps(about).encode())
        found.update(array.reshape(-1).view('uint8').data)
    return found.hexdigest()


def write(path: str, arrays: Arrays, metadata: dict[str, str]) -> None:
    """Write `arrays` and `metadata` to `path`, in safetensors' format."""
    # Of the library's own functions, one writes to a temporary file that a
    # kill leaves behind, the other takes the memory of all arrays twice more
    header: dict[str, Any] = {'__metadata__': metadata}
    end = 0
    for name, array in arrays.items():
        begin, end = end, end + array.nbytes
        kind = f'{array.dtype.kind.upper()}{8 * array.itemsize}'
        header[name] = {
            # Such as F32, and only Booleans are called otherwise
            'dtype': 'BOOL' if kind == 'B8' else kind,
            'shape': array.shape,
            'data_offsets': [begin, end],
        }
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)

    def write_all(file):
        file.write(len(text).to_bytes(8, 'little') + text)
        for array in arrays.values():
            file.write(np.ascontiguousarray(array).reshape(-1).view('uint8'))

    write_whole(path, write_all)


@contextlib.contextmanager
def _opened(path: str) -> Iterator[Any]:
    with open_regular(path) as file:
        if file.read(4) == b'PK\3\4':
            raise ForeignArrays(
                f'{path} is an archive such as PyTorch writes'
            )
    with (
        damage_told(path),
        safe_open(path, framework='np', backend='pread') as file,
    ):
        yield file


@contextlib.contextmanager
def damage_told(path: str) -> Iterator[None]:
    """Raise BadArrays for damage that shows inside this block."""
    try:
        yield
    except (BadArrays, MemoryError, OSError):
        raise
    except Exception as error:  # Damage shows in a dozen ways
        reason = str(error).strip() or type(error).__name__
        raise BadArrays(f'{path} is damaged ({reason})') from error


def _arrays(file):
    # In the order in which they were written
    return {name: file.get_tensor(name) for name in file.offset_keys()}
