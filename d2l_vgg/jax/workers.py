"""Processes that add their arrays by JAX's own engine."""

import functools
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from d2l_vgg.training import processes


class ProcessGroup(processes.ProcessGroup):
    """Processes of `jax.distributed`: by NCCL on GPUs, else by Gloo."""

    def meet(self, host: str, port: int) -> None:
        jax.config.update('jax_cpu_collectives_implementation', 'gloo')
        jax.distributed.initialize(
            f'{host}:{port}',
            num_processes=self.count,
            process_id=self.rank,
            cluster_detection_method='deactivate',
        )

    def sum(self, arrays: list) -> list:
        if not arrays:
            return []
        (device,) = arrays[0].devices()
        stacked, add = of_all(device.platform)
        parts = [
            jax.make_array_from_single_device_arrays(
                (self.count, *array.shape), stacked, [array[None]]
            )
            for array in arrays
        ]
        return [total.addressable_data(0) for total in add(parts)]

    def to_numpy(self, array: Any) -> np.ndarray:
        return np.asarray(array)


@functools.cache
def of_all(platform):
    """Return how arrays lie, one on each process's device, and their sum."""
    mesh = Mesh(jax.devices(platform), ('workers',))
    stacked = NamedSharding(mesh, PartitionSpec('workers'))
    everywhere = NamedSharding(mesh, PartitionSpec())

    @functools.partial(jax.jit, out_shardings=everywhere)
    def add(arrays):
        return [array.sum(0) for array in arrays]

    return stacked, add
