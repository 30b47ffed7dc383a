"""What PyTorch does faster on a GPU, if it is told to."""

from __future__ import annotations

import contextlib
import functools
import os
import textwrap
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch

from d2l_vgg import files

# Shapes and modes that a process may compile; PyTorch would stop after 8
MAX_COMPILED = 64


def compiled(function: Callable) -> Callable | None:
    """Return `function` as a graph of fused operations, launched at once.

    What it returns, its next run writes over. None where PyTorch cannot
    compile; a warning says so.
    """
    chosen = 'TORCHINDUCTOR_CACHE_DIR' in os.environ
    folder = None if chosen else files.cache_folder('inductor')
    if folder:  # Its own would be in /tmp, gone when the machine starts
        os.environ['TORCHINDUCTOR_CACHE_DIR'] = folder
    if not can_compile():
        return None
    torch._dynamo.config.recompile_limit = MAX_COMPILED
    return torch.compile(function, mode='reduce-overhead', dynamic=False)


@functools.cache
def can_compile() -> bool:
    """Return whether PyTorch compiles here, which takes more than itself."""
    try:
        torch.compile(torch.relu)(torch.ones(1, device='cuda'))
    except Exception as error:  # From any of the many parts of a compiler
        reason = textwrap.shorten(str(error) or type(error).__name__, 90)
        warnings.warn(
            f'PyTorch cannot compile here ({reason}), so a training on the '
            'GPU takes about twice as long: install a C compiler and the '
            'header files of Python (on Debian, gcc and python3-dev).',
            stacklevel=2,
        )
        return False
    return True


def autotuned() -> contextlib.AbstractContextManager:
    """In a block, let cuDNN try which of its algorithms is the fastest.

    The other frameworks let it so by themselves. On a CPU there is none.
    """
    flags: Any = torch.backends.cudnn
    return _set(flags, 'benchmark', flags.benchmark, True)


def tf32(allowed: bool) -> contextlib.AbstractContextManager:
    """In a block, let GPUs multiply matrices in TF32, or forbid it.

    Convolutions do so by themselves, and all of TensorFlow and JAX.
    """
    flags: Any = torch.backends.cuda.matmul
    try:
        before = flags.allow_tf32
    except RuntimeError:  # Set by a newer name, which cannot be mixed with it
        return contextlib.nullcontext()
    return _set(flags, 'allow_tf32', before, allowed)


@contextlib.contextmanager
def _set(flags: Any, name: str, before: bool, value: bool) -> Iterator[None]:
    setattr(flags, name, value)
    try:
        yield
    finally:
        setattr(flags, name, before)
