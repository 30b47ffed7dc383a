"""Checkpoints: one file with all that a stopped run needs to go on.

The file is NumPy's .npz, whatever the framework: arrays by name, and a JSON
text with everything else. It is written whole or not at all.
"""

import contextlib
import json

import numpy as np

from d2l_vgg.files import write_whole

_META = 'meta.json'


@contextlib.contextmanager
def explained(path):
    """Say of a failure to write in this block what it means for the run."""
    try:
        yield
    except OSError as error:
        raise OSError(
            f'The checkpoint {path} cannot be written ({error.strerror}): '
            'make room and resume the run; the checkpoint before is whole.'
        ) from error


class BadCheckpoint(ValueError):
    """A checkpoint is damaged, or belongs to another run."""


def save(path, arrays, meta):
    """Write `arrays` (name -> NumPy array) and `meta` (JSON-able) to `path`.

    Raises:
        OSError: the folder cannot be written or the disk is full; what was
            at `path` before is still there.
    """
    text = np.frombuffer(json.dumps(meta).encode(), dtype='uint8')
    write_whole(path, lambda file: np.savez(file, **arrays, **{_META: text}))


def load(path):
    """Return the arrays and the meta that `save` wrote to `path`.

    Raises:
        FileNotFoundError: there is no such file.
        BadCheckpoint: the file is damaged; every byte is covered by the
            checksums of its format.
    """
    with _damage_told(path), np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
        meta = _meta(arrays.pop(_META))
    return arrays, meta


def load_meta(path):
    """Return the meta that `save` wrote to `path`, without the arrays.

    Raises:
        BadCheckpoint: the file is damaged where it is read.
    """
    with _damage_told(path), np.load(path, allow_pickle=False) as file:
        return _meta(file[_META])


def _meta(array):
    return json.loads(array.tobytes().decode())


@contextlib.contextmanager
def _damage_told(path):
    try:
        yield
    except FileNotFoundError:
        raise FileNotFoundError(
            f'No checkpoint at {path}: there is nothing to resume; start '
            'the run anew.'
        ) from None
    except Exception as error:  # Damage shows in a dozen ways
        raise BadCheckpoint(
            f'The checkpoint {path} is damaged ({error}): delete it and '
            'start the run anew.'
        ) from error


def check_arrays(path, arrays, expected):
    """Refuse a checkpoint whose arrays are not those of this network.

    Args:
        path: where `arrays` come from, for the message
        arrays: name -> array, as loaded
        expected: name -> shape, as the network has them

    Raises:
        BadCheckpoint: a name or a shape differs.
    """
    found = {name: array.shape for name, array in arrays.items()}
    for name in sorted(set(found) | set(expected)):
        if found.get(name) != expected.get(name):
            raise BadCheckpoint(
                f'The checkpoint {path} is of another architecture: '
                f'{name} is {found.get(name, "missing")} there and '
                f'{expected.get(name, "missing")} in this network; resume '
                'with the architecture that it was made with.'
            )


def check_settings(path, settings, expected):
    """Refuse a checkpoint of a run with other hyperparameters.

    Raises:
        BadCheckpoint: one of the `expected` settings differs.
    """
    for name, value in expected.items():
        if settings.get(name) != value:
            raise BadCheckpoint(
                f'The checkpoint {path} is of a run with {name}='
                f'{settings.get(name)}, not {value}: resume with the same '
                'hyperparameters, or start the run anew.'
            )
