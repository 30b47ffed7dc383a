"""Processes that add their arrays by JAX's own engine."""

import functools
import os

import jax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from d2l_vgg.training import processes, workers


class ProcessGroup(processes.ProcessGroup):
    """Processes of `jax.distributed`: by NCCL on GPUs, else by Gloo."""

    # Gloo listens at the address of the machine's name
    is_private = False

    def meet(self, host: str, port: int) -> None:
        # gRPC would reach even this machine by a proxy
        os.environ['no_grpc_proxy'] = host
        jax.config.update('jax_check_proxy_envs', False)
        jax.config.update('jax_cpu_collectives_implementation', 'gloo')
        address = f'{host}:{port}'
        # By itself it listens to all interfaces
        listens_to = address if workers.is_one_machine() else None
        jax.distributed.initialize(
            address,
            coordinator_bind_address=listens_to,
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
