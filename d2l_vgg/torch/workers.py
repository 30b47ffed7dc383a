"""Workers that add their arrays by PyTorch's own engine."""

from __future__ import annotations

import os
import socket
import struct
from typing import Any

import numpy as np
import torch
from torch import distributed

from d2l_vgg.training import team, workers

# Linux's question for the address of an interface
SIOCGIFADDR = 0x8915


class Team(team.Team):
    """Workers that meet as `torch.distributed` has it.

    On GPUs they add by NCCL, on processors by Gloo.
    """

    def meet(self) -> None:
        host, port = workers.address()
        # Else Gloo takes that of the host's name, which on Debian is its own
        # loopback
        interface = interface_to(host, port)
        if interface:
            os.environ.setdefault('GLOO_SOCKET_IFNAME', interface)
        if torch.cuda.is_available():  # torchrun shows all GPUs to each
            place = workers.number('LOCAL_RANK', 0)
            torch.cuda.set_device(place % torch.cuda.device_count())
        distributed.init_process_group(
            'cpu:gloo,cuda:nccl' if torch.cuda.is_available() else 'gloo',
            init_method=f'tcp://{host}:{port}',
            rank=self.rank,
            world_size=self.count,
        )

    @torch.no_grad()
    def sum(self, arrays: list) -> list:
        # All are on their way before the first is waited for
        for work in [
            distributed.all_reduce(array, async_op=True) for array in arrays
        ]:
            work.wait()
        return arrays

    @torch.no_grad()
    def to_device(self, array: np.ndarray, trainer: Any) -> Any:
        return torch.tensor(array, device=trainer.device)

    def to_numpy(self, array: Any) -> np.ndarray:
        return array.cpu().numpy()


def interface_to(host: str, port: int) -> str | None:
    """Return the network interface by which `host` is reached.

    None where the system, such as Windows, does not tell it in this way.
    """
    try:
        import fcntl
    except ImportError:
        return None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((host, port))  # Sends nothing
        except OSError:
            return None
        own = probe.getsockname()[0]
        for _, name in socket.if_nameindex():
            asked = struct.pack('256s', name.encode()[:15])
            try:
                told = fcntl.ioctl(probe, SIOCGIFADDR, asked)
            except OSError:  # It has no address
                continue
            if socket.inet_ntoa(told[20:24]) == own:
                return name
    return None
