"""Processes that add their arrays by PyTorch's own engine."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import distributed

from d2l_vgg.training import team, workers


class ProcessGroup(team.ProcessGroup):
    """Processes that meet as `torch.distributed` has it.

    On GPUs they add by NCCL, on processors by Gloo.
    """

    def meet(self) -> None:
        host, port = workers.address()
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


# The name that trainers know it by
Team = ProcessGroup
