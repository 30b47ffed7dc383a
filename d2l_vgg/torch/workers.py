"""Processes that add their arrays by PyTorch's own engine."""

import os
import socket
from typing import Any

import numpy as np
import torch
from torch import distributed

from d2l_vgg.training import processes, workers


class ProcessGroup(processes.ProcessGroup):
    """Processes of `torch.distributed`: by NCCL on GPUs, else by Gloo."""

    def meet(self, host: str, port: int) -> None:
        own = workers.is_one_machine()
        if own and os.name == 'posix':
            for engine in 'GLOO', 'NCCL':
                loopback = socket.if_indextoname(1)
                os.environ.setdefault(f'{engine}_SOCKET_IFNAME', loopback)
        store = fd = None
        if not distributed.is_torchelastic_launched():  # Else torchrun's
            if self.rank == 0:  # It would listen at all addresses
                place = host if own else '', port
                fd = socket.create_server(place).detach()
            store = distributed.TCPStore(
                host, port, self.count, self.rank == 0, master_listen_fd=fd
            )
        distributed.init_process_group(
            'cpu:gloo,cuda:nccl' if torch.cuda.is_available() else 'gloo',
            store=store,
            rank=self.rank,
            world_size=self.count,
        )

    def sum(self, arrays: list) -> list:
        # All are on their way before the first is waited for
        for work in [
            distributed.all_reduce(array, async_op=True) for array in arrays
        ]:
            work.wait()
        return arrays

    def to_numpy(self, array: Any) -> np.ndarray:
        return array.cpu().numpy()
