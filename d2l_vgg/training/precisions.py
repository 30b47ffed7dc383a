"""The types that a network's blocks can compute in.

bfloat16 has the range of float32 and 8 of its 24 significant bits. Processors
with instructions for it multiply its matrices about twice as fast, and so do
GPUs.
"""

from __future__ import annotations

import abc
from typing import Callable

PRECISIONS = ('float32', 'bfloat16')
# NVIDIA's first GPUs that compute in bfloat16: Ampere
FIRST_GPUS = (8, 0)


def check(precision: str, find_lack: Callable[[], str]) -> None:
    """Refuse a type that is unknown, or that cannot be computed in here.

    Args:
        precision: its name
        find_lack: `Computing.no_bfloat16`, asked for what takes bfloat16

    Raises:
        ValueError: `precision` is such a type.
    """
    if precision not in PRECISIONS:
        raise ValueError(
            f'precision is {precision!r}: it must be one of '
            f'{", ".join(PRECISIONS)}.'
        )
    lack = find_lack() if precision == 'bfloat16' else ''
    if lack:
        raise ValueError(
            f"precision is 'bfloat16', which {lack}: use 'float32'."
        )


class Computing(abc.ABC):
    """Mixed into a trainer: what its device computes in, and gains by it."""

    @property
    @abc.abstractmethod
    def on_cpu(self) -> bool:
        """Whether `device` is the processor."""

    def no_bfloat16(self) -> str:
        """Return why `device` cannot compute in bfloat16, '' if it can.

        It follows on the word bfloat16.
        """
        if self.on_cpu:
            return lack_of_processor()
        return lack_of_gpu(self.capability())

    def no_gain(self) -> str:
        """Return why bfloat16 is no faster on `device`, '' if it is."""
        return self.no_bfloat16()

    def capability(self) -> tuple:
        """Return the compute capability of the GPU, such as (8, 6)."""
        return (0, 0)

    def choose(self, precision: str) -> tuple[str, str]:
        """Return the type to take for one that may help, and the reason.

        That is '' where it is `precision` itself.
        """
        reason = self.no_gain() if precision == 'bfloat16' else ''
        return ('float32', reason) if reason else (precision, '')


def lack_of_processor() -> str:
    """Return why the processor cannot compute in bfloat16, '' if it can."""
    if has_bfloat16():
        return ''
    return 'takes a processor with avx512_bf16, and this one has none'


def lack_of_gpu(capability: tuple) -> str:
    """Return why a GPU cannot compute in bfloat16, '' if it can.

    `capability` is its compute capability, (major, minor).
    """
    if tuple(capability) >= FIRST_GPUS:
        return ''
    found = '.'.join(map(str, capability))
    return f'takes a GPU of compute capability 8.0, and this one has {found}'


def has_bfloat16(path: str = '/proc/cpuinfo') -> bool:
    """Return whether the processor, of which `path` tells, has bfloat16.

    Where there is no such file, as on Windows and macOS, it is taken to have
    none: on processors without AVX-512, oneDNN would end with an error, and
    on those with AVX-512 alone it would be slower than float32.
    """
    try:
        with open(path, encoding='utf-8') as file:
            return 'avx512_bf16' in file.read().split()
    except OSError:
        return False
