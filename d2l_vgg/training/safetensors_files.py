"""Arrays by name in files of safetensors, which hold nothing but numbers."""

from __future__ import annotations

import os
import re

import numpy as np

from d2l_vgg.files import open_regular, write_whole
from d2l_vgg.training.arrays import Arrays


def library():
    """Return the package that reads and writes these files.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    try:
        import safetensors.numpy
    except ModuleNotFoundError as error:
        if error.name != 'safetensors':
            raise
        raise ModuleNotFoundError(
            'safetensors is not installed: run `pip install safetensors`.',
            name='safetensors',
        ) from None
    return safetensors


def read(path: str) -> Arrays:
    """Return name -> array of the file at `path`.

    Raises:
        ModuleNotFoundError: the package safetensors is not installed.
        OSError: the file is not there, or cannot be read.
        ValueError: it is damaged, or holds types that NumPy does not have.
    """
    safetensors = library()
    with open_regular(path):  # The package tells less of what is wrong
        pass
    try:
        return safetensors.numpy.load_file(os.fspath(path))
    except OSError:
        raise
    except Exception as error:  # Each release has others for unknown types
        raise ValueError(
            f'{path} is no file of safetensors with numbers of NumPy, or is '
            f'damaged ({error}): copy it anew, or save it in float32.'
        ) from error


def write(path: str, arrays: Arrays) -> None:
    """Write name -> array to `path`.

    Raises:
        ModuleNotFoundError: the package safetensors is not installed.
        OSError: the folder cannot be written or the disk is full; what was
            at `path` before is still there.
    """
    safetensors = library()
    # What is not contiguous would be written in the wrong order
    whole = {n: np.asarray(a, order='C') for n, a in arrays.items()}

    def save(file):
        try:
            safetensors.numpy.save_file(whole, file.name)
        except safetensors.SafetensorError as error:
            found = re.search(r'os error (\d+)', str(error))
            if not found:
                raise
            code = int(found[1])
            raise OSError(code, os.strerror(code)) from error

    write_whole(path, save)
