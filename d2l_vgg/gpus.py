"""NVIDIA's driver and GPUs, as its own library for that tells them."""

import contextlib
import os
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
    """A driver: its version, the newest CUDA that it runs, and the GPUs."""

    version: str
    cuda: tuple[int, int]
    gpus: list[Gpu]


def driver() -> tuple[Driver | None, str]:
    """Return the driver and '', or None and why one does not answer."""
    try:
        import pynvml as nvml
    except ImportError:  # Where this package came without what it needs
        return None, ''
    gpus = []
    try:
        nvml.nvmlInit()
        version = nvml.nvmlSystemGetDriverVersion()
        cuda = nvml.nvmlSystemGetCudaDriverVersion()  # 11070 is 11.7
        for i in range(nvml.nvmlDeviceGetCount()):
            # Those of a cluster's other jobs are counted, too
            with contextlib.suppress(nvml.NVMLError_NoPermission):
                gpus.append(_gpu(nvml, nvml.nvmlDeviceGetHandleByIndex(i)))
        nvml.nvmlShutdown()
    # The second has a library without a device, as a cluster's login node
    except (nvml.NVMLError_LibraryNotFound, nvml.NVMLError_DriverNotLoaded):
        return None, ''
    except nvml.NVMLError as error:
        return None, str(error)
    return Driver(version, (cuda // 1000, cuda % 1000 // 10), gpus), ''


def _gpu(nvml, handle):
    capability = tuple(nvml.nvmlDeviceGetCudaComputeCapability(handle))
    handle = _slice(nvml, handle)
    name = nvml.nvmlDeviceGetName(handle)
    try:
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    except nvml.NVMLError_NotSupported:
        return Gpu(name, capability, None, None)
    return Gpu(name, capability, memory.total, memory.free)


def _slice(nvml, gpu):
    """Return what CUDA computes on: one slice of a GPU that MIG divides."""
    visible = os.environ.get('CUDA_VISIBLE_DEVICES', '')
    found = gpu
    for i in range(8):  # Of a whole GPU the first is an error, too
        with contextlib.suppress(nvml.NVMLError):
            one = nvml.nvmlDeviceGetMigDeviceHandleByIndex(gpu, i)
            if found is gpu or nvml.nvmlDeviceGetUUID(one) in visible:
                found = one
    return found


def names() -> list[str]:
    """Return the names of the GPUs, none where no driver tells them."""
    return [gpu.name for gpu in _found()]


def capability() -> tuple[int, int]:
    """Return the compute capability of the first GPU, (0, 0) without any."""
    return next((gpu.capability for gpu in _found()), (0, 0))


def _found():
    found, _ = driver()
    return found.gpus if found else []
