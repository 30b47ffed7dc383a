"""NVIDIA's driver and GPUs, as its own library for that tells them."""

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


def driver() -> Driver | None:
    """Return the driver of this machine, None where there is none.

    Raises:
        pynvml.NVMLError: there is one, and it or a GPU does not answer.
    """
    try:
        import pynvml as nvml
    except ImportError:  # Where this package came without what it needs
        return None
    try:
        nvml.nvmlInit()
    # The second has a library without a device, as a cluster's login node
    except (nvml.NVMLError_LibraryNotFound, nvml.NVMLError_DriverNotLoaded):
        return None
    version = nvml.nvmlSystemGetDriverVersion()
    cuda = nvml.nvmlSystemGetCudaDriverVersion()  # 11070 is 11.7
    gpus = [_gpu(nvml, i) for i in range(nvml.nvmlDeviceGetCount())]
    nvml.nvmlShutdown()
    return Driver(version, (cuda // 1000, cuda % 1000 // 10), gpus)


def _gpu(nvml, index):
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    name = nvml.nvmlDeviceGetName(handle)
    capability = tuple(nvml.nvmlDeviceGetCudaComputeCapability(handle))
    try:
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    except nvml.NVMLError_NotSupported:
        return Gpu(name, capability, None, None)
    return Gpu(name, capability, memory.total, memory.free)


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
