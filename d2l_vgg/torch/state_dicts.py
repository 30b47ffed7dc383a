"""State dicts in PyTorch's own files, of which nothing is ever run.

These files are pickles, which could run anything; PyTorch's `weights_only`
takes from them nothing but tensors.
"""

from __future__ import annotations

import os
import re
import warnings
import zipfile

import numpy as np
import torch

from d2l_vgg.files import open_regular, write_whole
from d2l_vgg.training import arrays as files
from d2l_vgg.training.arrays import Arrays

# Before this, a file could run code in spite of `weights_only`
# (CVE-2025-32434)
SAFE = (2, 6)


def read(path: str) -> Arrays:
    """Return name -> array of the state dict that `torch.save` wrote.

    It may be the value of 'state_dict' in what was saved.

    Raises:
        ImportError: this PyTorch is too old to read such files safely.
        OSError: the file is not there, or cannot be read.
        ValueError: it is damaged, or holds something else.
    """
    version = tuple(map(int, re.findall(r'\d+', torch.__version__)[:2]))
    if version < SAFE:
        raise ImportError(
            f'PyTorch {torch.__version__} may run what a file holds: take '
            '2.6 or later, or a .safetensors file.'
        )
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            if file.read(2) == b'PK':
                with zipfile.ZipFile(file) as archive:
                    files.check_size(archive, size)
            file.seek(0)
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')  # Damage makes it guess
                state = torch.load(
                    file, map_location='cpu', weights_only=True
                )
        except MemoryError:
            raise
        except Exception as error:  # Damage shows in a dozen ways
            if getattr(error, 'errno', None):
                raise
            raise ValueError(explain(path, error)) from error
    if isinstance(state, dict) and isinstance(state.get('state_dict'), dict):
        state = state['state_dict']
    check(path, state, size)
    return {name: tensor.numpy() for name, tensor in state.items()}


def check(path, state, size):
    """Refuse what is no state dict, or claims more than the file's `size`.

    A tensor may name its few numbers over and over again.

    Raises:
        ValueError: it is such a thing.
    """
    if not isinstance(state, dict) or not all(
        isinstance(name, str) and isinstance(value, torch.Tensor)
        for name, value in state.items()
    ):
        raise ValueError(
            f'{path} holds no state dict, which is tensors by name: save '
            'that by torch.save(model.state_dict(), path).'
        )
    for name, tensor in state.items():
        dense = tensor.layout == torch.strided and tensor.device.type == 'cpu'
        if not dense or tensor.dtype not in (torch.float32, torch.int64):
            raise ValueError(
                f'{path} holds {tensor.dtype} in {name}, but parameters must '
                'be in float32, and dense: save model.float().state_dict().'
            )
    claimed = sum(t.numel() * t.element_size() for t in state.values())
    if claimed > size:
        raise ValueError(
            f'{path} is damaged (it claims {claimed} bytes and has {size}): '
            'copy it anew.'
        )


def explain(path, error):
    """Return in one sentence why PyTorch does not read the file."""
    asked = re.search(r'GLOBAL (\S+)', str(error))
    if asked:
        return (
            f'{path} holds more than tensors: it asks for {asked[1]}, which '
            'could run anything, and so is not opened; save '
            'model.state_dict() alone.'
        )
    reason = ''
    if isinstance(error, (RuntimeError, zipfile.BadZipFile, ValueError)):
        # The next sentence may advise to open it all the same
        reason = re.split(r'\.\s|\n', str(error))[0][:100]
    return (
        f'{path} is no file of torch.save with a state dict, or is damaged'
        + (f' ({reason})' if reason else '')
        + ': copy it anew.'
    )


def write(path: str, arrays: Arrays) -> None:
    """Write name -> array to `path` as `torch.save` does a state dict.

    Raises:
        OSError: the folder cannot be written or the disk is full; what was
            at `path` before is still there.
    """
    state = {
        name: torch.from_numpy(np.asarray(array, order='C'))
        for name, array in arrays.items()
    }
    write_whole(path, lambda file: torch.save(state, file))
