"""Processes that add their arrays by JAX's own engine."""

from __future__ import annotations

import functools
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from d2l_vgg.training import team, workers


class ProcessGroup(team.ProcessGroup):
    """Processes that meet as `jax.distributed` has it.

    On GPUs XLA adds by NCCL, on processors by Gloo.
    """

    def meet(self) -> None:
        host, port = workers.address()
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
        sums = add(
            [
                jax.make_array_from_single_device_arrays(
                    (self.count, *array.shape), stacked, [array[None]]
                )
                for array in arrays
            ]
        )
        return [total.addressable_data(0) for total in sums]

    def to_device(self, array: np.ndarray, trainer: Any) -> Any:
        return jax.device_put(array, trainer.device)

    def to_numpy(self, array: Any) -> np.ndarray:
        return np.asarray(array)


@functools.cache
def of_all(platform):
    """Return how arrays lie, one on each process's device, and their sum."""
    first = {d.process_index: d for d in reversed(jax.devices(platform))}
    devices = [first[rank] for rank in sorted(first)]
    mesh = Mesh(np.array(devices), ('workers',))
    stacked = NamedSharding(mesh, PartitionSpec('workers'))
    everywhere = NamedSharding(mesh, PartitionSpec())

    @functools.partial(jax.jit, out_shardings=everywhere)
    def add(arrays):
        return [array.sum(0) for array in arrays]

    return stacked, add


# The name that trainers know it by
Team = ProcessGroup
