"""Processes that add their arrays by PyTorch's own engine."""

from typing import Any

import numpy as np
import torch
from torch import distributed

from d2l_vgg.training import processes


class ProcessGroup(processes.ProcessGroup):
    """Processes of `torch.distributed`: by NCCL on GPUs, else by Gloo."""

    def meet(self, host: str, port: int) -> None:
        distributed.init_process_group(
            'cpu:gloo,cuda:nccl' if torch.cuda.is_available() else 'gloo',
            init_method=f'tcp://{host}:{port}',
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
