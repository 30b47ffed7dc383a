"""Which way leads to a GPU: what runs on it, by its compute capability."""

from __future__ import annotations

from typing import NamedTuple

from d2l_vgg.doctor.fat_binaries import Capabilities

# What the libraries of mxnet-cu112 and mxnet-cu117 1.9.1 hold, as NVIDIA's
# `cuobjdump` and `fat_binaries.read` tell it
WHEEL_CODE = Capabilities(((5, 0), (6, 0), (7, 0), (8, 0), (8, 6)), ())
# The last MXNet that NVIDIA made, 1.9.1 with CUDA 12.4: its release notes
# name Hopper, and compute capability 6.0 and later
CONTAINER = 'nvcr.io/nvidia/mxnet:24.06-py3'
CONTAINER_COMMANDS = (
    'docker build --tag d2l_vgg .',
    'docker run --rm -it --gpus all --ipc=host d2l_vgg d2l-vgg doctor',
)
HOPPER = (9, 0)


class Wheel(NamedTuple):
    """The CUDA of a wheel, and the oldest driver that all of it runs with.

    The driver is that of the CUDA Toolkit's release notes.
    """

    cuda: str
    whole_driver: tuple


WHEELS = {
    'mxnet-cu112': Wheel('11.2', (460, 27, 3)),
    'mxnet-cu117': Wheel('11.7', (515, 43, 4)),
}
# The oldest that every CUDA 11 runs with, "minor version compatibility"
LEAST_DRIVER = (450, 80, 2)


def mxnet_way(capability: tuple[int, int]) -> str | None:
    """Return how MXNet gets to a GPU: 'wheel', 'container' or None."""
    if WHEEL_CODE.run_on(capability):
        return 'wheel'
    return 'container' if capability == HOPPER else None


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a driver's version, such as 515.43.04."""
    return tuple(int(n) for n in version.split('.') if n.isdigit())


def dotted(capability: tuple[int, ...]) -> str:
    """Return a compute capability as it is written, such as 8.6."""
    return '.'.join(map(str, capability))
