"""Workers that add their arrays by JAX's own engine."""

from __future__ import annotations

import functools
import socket
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from d2l_vgg.training import team, workers


class Team(team.Team):
    """Workers that meet as `jax.distributed` has it.

    On GPUs XLA adds by NCCL, on processors by Gloo.
    """

    def meet(self) -> None:
        host, port = workers.address()
        jax.config.update('jax_cpu_collectives_implementation', 'gloo')
        jax.distributed.initialize(
            f'{host}:{port}',
            num_processes=self.count,
            process_id=self.rank,
            initialization_timeout=team.SECONDS_TO_MEET,
        )
        if jax.local_devices()[0].platform == 'cpu':
            check_name(host)

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


def check_name(host):
    """Refuse a host whose name leads the others to themselves.

    They look for Gloo there, and JAX has no option for that.

    Raises:
        ValueError: it is such a host, and `host` is not the only one.
    """
    name = socket.gethostname()
    try:
        own, meeting = map(socket.gethostbyname, (name, host))
    except OSError:
        return
    if own.startswith('127.') and not meeting.startswith('127.'):
        raise ValueError(
            f'The name of this host, {name}, leads to {own}, where workers '
            'of JAX on other hosts cannot find it: let it lead to the '
            'address that these reach, in /etc/hosts.'
        )


@functools.cache
def of_all(platform):
    """Return how arrays lie, one on each worker's device, and their sum."""
    first = {d.process_index: d for d in reversed(jax.devices(platform))}
    devices = [first[rank] for rank in sorted(first)]
    mesh = Mesh(np.array(devices), ('workers',))
    stacked = NamedSharding(mesh, PartitionSpec('workers'))
    everywhere = NamedSharding(mesh, PartitionSpec())

    @functools.partial(jax.jit, out_shardings=everywhere)
    def add(arrays):
        return [array.sum(0) for array in arrays]

    return stacked, add
