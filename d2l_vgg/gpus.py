"""NVIDIA's driver and GPUs, as its own library for that tells them."""

from __future__ import annotations

from typing import NamedTuple


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

    `broken` tells of those that do not answer.
    """

    version: str
    cuda: tuple[int, int]
    gpus: list[Gpu]
    broken: list[str]


def driver() -> Driver | None:
    """Return the driver of this machine, None where there is none.

    Raises:
        pynvml.NVMLError: there is one, and it does not work.
    """
    try:
        import pynvml
    except ImportError:  # Where this package came without what it needs
        return None
    try:
        pynvml.nvmlInit()
    # The second has a library without a device, as a cluster's login node
    except (
        pynvml.NVMLError_LibraryNotFound,
        pynvml.NVMLError_DriverNotLoaded,
    ):
        return None
    try:
        version = pynvml.nvmlSystemGetDriverVersion()
        cuda = pynvml.nvmlSystemGetCudaDriverVersion()  # 11070 is 11.7
        gpus, broken = [], []
        for i in range(pynvml.nvmlDeviceGetCount()):
            try:
                gpus.append(_gpu(pynvml, i))
            except pynvml.NVMLError as error:
                broken.append(f'GPU {i} does not answer ({error})')
        return Driver(
            version, (cuda // 1000, cuda % 1000 // 10), gpus, broken
        )
    finally:
        pynvml.nvmlShutdown()


def _gpu(pynvml, index):
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    try:
        memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
        sizes = memory.total, memory.free
    except pynvml.NVMLError_NotSupported:
        sizes = None, None
    return Gpu(
        pynvml.nvmlDeviceGetName(handle),
        tuple(pynvml.nvmlDeviceGetCudaComputeCapability(handle)),
        *sizes,
    )


def names() -> list[str]:
    """Return the names of the GPUs, none where no driver tells them."""
    return [gpu.name for gpu in _found()]


def capability() -> tuple[int, int]:
    """Return the compute capability of the first GPU, (0, 0) without any."""
    return next((gpu.capability for gpu in _found()), (0, 0))


def _found():
    try:
        found = driver()
    except Exception:  # pynvml's, which may not be there to be named
        found = None
    return found.gpus if found else []
