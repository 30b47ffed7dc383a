"""NVIDIA's driver and its GPUs, as its own library for that tells them.

That is NVML, which comes with every driver; `nvidia-smi` asks it, too, but is
not on every machine that has a driver.
"""

from __future__ import annotations

import ctypes
import sys
from typing import NamedTuple

LIBRARY = 'libnvidia-ml.so.1'
# What NVML calls too little room for a name; its own limit is 96
MOST_LETTERS = 128


class Gpu(NamedTuple):
    """A GPU, with its compute capability as (major, minor).

    `memory` and `free` are in bytes, None where it shares the machine's.
    """

    name: str
    capability: tuple[int, int]
    memory: int | None
    free: int | None


class Driver(NamedTuple):
    """A driver: its version, the newest CUDA that it runs, and the GPUs.

    The GPUs are in the order of their places in the machine; `broken` tells
    of those that do not answer.
    """

    version: str
    cuda: tuple[int, int]
    gpus: tuple[Gpu, ...]
    broken: tuple[str, ...] = ()


class DriverError(RuntimeError):
    """There is a driver, and it does not work.

    `status` is NVML's number of the error, such as `NOT_LOADED`.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


NOT_SUPPORTED, NOT_LOADED, VERSION_MISMATCH = 3, 9, 18


class _Memory(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_ulonglong) for name in ('total', 'free', 'used')
    ]


def driver() -> Driver | None:
    """Return the driver of this machine, None where there is none.

    It is looked for on Linux only.

    Raises:
        DriverError: there is one, and it does not work.
    """
    if sys.platform != 'linux':
        return None
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError as error:
        if 'No such file' in str(error) or 'not found' in str(error):
            return None
        raise DriverError(f'{LIBRARY} does not load ({error})') from error
    _call(library, 'nvmlInit_v2')
    try:
        return _driver(library)
    finally:
        _call(library, 'nvmlShutdown')


def names() -> list[str]:
    """Return the names of the GPUs, none where no driver tells them."""
    return [gpu.name for gpu in _gpus()]


def capability() -> tuple[int, int]:
    """Return the compute capability of the first GPU, (0, 0) without any."""
    return next((gpu.capability for gpu in _gpus()), (0, 0))


def _gpus():
    try:
        found = driver()
    except DriverError:
        return ()
    return found.gpus if found else ()


def _driver(library):
    version = ctypes.create_string_buffer(MOST_LETTERS)
    _call(library, 'nvmlSystemGetDriverVersion', version, MOST_LETTERS)
    cuda = ctypes.c_int()
    _call(library, 'nvmlSystemGetCudaDriverVersion', ctypes.byref(cuda))
    number = ctypes.c_uint()
    _call(library, 'nvmlDeviceGetCount_v2', ctypes.byref(number))
    gpus, broken = [], []
    for i in range(number.value):
        try:
            gpus.append(_gpu(library, i))
        except DriverError as error:
            broken.append(f'GPU {i}: {error}')
    return Driver(
        version.value.decode(errors='replace'),
        # 11070 is 11.7
        (cuda.value // 1000, cuda.value % 1000 // 10),
        tuple(gpus),
        tuple(broken),
    )


def _gpu(library, index):
    gpu = ctypes.c_void_p()
    _call(
        library,
        'nvmlDeviceGetHandleByIndex_v2',
        ctypes.c_uint(index),
        ctypes.byref(gpu),
    )
    name = ctypes.create_string_buffer(MOST_LETTERS)
    _call(library, 'nvmlDeviceGetName', gpu, name, MOST_LETTERS)
    major, minor = ctypes.c_int(), ctypes.c_int()
    _call(
        library,
        'nvmlDeviceGetCudaComputeCapability',
        gpu,
        ctypes.byref(major),
        ctypes.byref(minor),
    )
    memory = _Memory()
    try:
        _call(library, 'nvmlDeviceGetMemoryInfo', gpu, ctypes.byref(memory))
    except DriverError as error:
        if error.status != NOT_SUPPORTED:
            raise
        memory = None
    return Gpu(
        name.value.decode(errors='replace'),
        (major.value, minor.value),
        memory and memory.total,
        memory and memory.free,
    )


def _call(library, name, *args):
    """Call a function of NVML.

    Raises:
        DriverError: it fails, or is missing, as in a very old driver.
    """
    try:
        status = getattr(library, name)(*args)
    except AttributeError:
        raise DriverError(f'{LIBRARY} has no function {name}') from None
    if status == 0:
        return
    library.nvmlErrorString.restype = ctypes.c_char_p
    text = library.nvmlErrorString(status) or b''
    raise DriverError(
        text.decode(errors='replace') or f'{name} returns {status}', status
    )
