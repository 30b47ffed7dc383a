"""State dicts in PyTorch's own files, of which nothing is ever run.

These files are pickles, which could run anything; PyTorch's `weights_only`
takes from them nothing but tensors.
"""

from __future__ import annotations

import os
import re
import warnings

import numpy as np
import torch

from d2l_vgg.files import check_unpacked_size, open_regular, write_whole
from d2l_vgg.training.arrays import Arrays


def read(path: str) -> Arrays:
    """Return name -> array of the state dict that `torch.save` wrote.

    Raises:
        ImportError: this PyTorch is too old to read such files safely.
        OSError: the file is not there, or cannot be read.
        ValueError: it is damaged, or holds something else.
    """
    version = tuple(map(int, re.findall(r'\d+', torch.__version__)[:2]))
    # Before, one could run code in spite of `weights_only` (CVE-2025-32434)
    if version < (2, 6):
        raise ImportError(
            f'PyTorch {torch.__version__} may run what a file holds: take '
            '2.6 or later, or a .safetensors file.'
        )
    with open_regular(path) as file:
        try:
            if file.read(2) == b'PK':
                check_unpacked_size(file)
            file.seek(0)
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')  # Damage makes it guess
                state = torch.load(
                    file, map_location='cpu', weights_only=True
                )
            for key in 'state_dict', 'model_state_dict', 'model':
                if isinstance(state, dict):
                    state = state.get(key, state)
            check(state, os.fstat(file.fileno()).st_size)
        except (MemoryError, OSError):
            raise
        except Exception as error:  # Damage shows in a dozen ways
            # Its second sentence may advise to open it all the same
            reason = re.split(r'\.\s|\n', str(error))[0][:100]
            asked = re.search(r'GLOBAL (\S+)', str(error))
            if asked:
                reason = f'it asks for {asked[1]}, which could run anything'
            raise ValueError(
                f'{path} is damaged, or no file with a state dict alone '
                f'({reason or type(error).__name__}): copy it again, or save '
                'it by torch.save(model.float().state_dict(), path).'
            ) from error
    return {name: tensor.numpy() for name, tensor in state.items()}


def check(state, size):
    """Raise ValueError for no state dict, or one of more than `size` bytes.

    A tensor may name its few numbers over and over again.
    """
    if not isinstance(state, dict):
        raise ValueError(f'it holds a {type(state).__name__}')
    claimed = 0
    for name, tensor in state.items():
        if not isinstance(name, str) or not isinstance(tensor, torch.Tensor):
            raise ValueError('it holds more than tensors by name')
        if tensor.layout != torch.strided or tensor.device.type != 'cpu':
            raise ValueError(f'{name:.60} is not dense')
        if tensor.dtype not in (torch.float32, torch.int64):
            raise ValueError(f'{name:.60} is in {tensor.dtype}')
        claimed += tensor.numel() * tensor.element_size()
    if claimed > size:
        raise ValueError(f'it claims {claimed} bytes and has {size}')


def write(path: str, arrays: Arrays) -> None:
    """Write name -> array to `path` as `torch.save` does a state dict.

    Raises OSError as `files.write_whole`.
    """
    state = {
        name: torch.from_numpy(np.asarray(array, order='C'))
        for name, array in arrays.items()
    }
    write_whole(path, lambda file: torch.save(state, file))
