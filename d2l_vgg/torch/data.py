"""Fashion-MNIST for PyTorch, held whole in the memory of the device."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from d2l_vgg.datasets import minibatches
from d2l_vgg.torch import gpu
from d2l_vgg.training import data


class Minibatches(minibatches.Minibatches):
    __doc__ = minibatches.Minibatches.__doc__

    def to_device(self, array: np.ndarray, dtype: str) -> Any:
        dtype = getattr(torch, dtype)
        return torch.tensor(array, dtype=dtype, device=self.device)

    def take(self, indices: Any, *window: Any) -> tuple:
        indices = indices.long()
        if window:
            rows, columns = window
            X = self.images[indices[:, None, None], rows, columns]
        else:
            X = self.images[indices]
        if self.rows is not None:
            # Half a grey level added before is cheaper than rounding after
            with gpu.tf32(False):
                X = (X.float() + 0.5) @ self.columns
                X = (self.rows @ X).to(torch.uint8)
        # Classes are told to PyTorch's losses as 64-bit integers
        return (X / 255)[:, None], self.labels[indices].long()


class FashionMNIST(data.FashionMNIST):
    __doc__ = data.FashionMNIST.__doc__
    Minibatches = Minibatches

    def to_numpy(self, array: Any) -> np.ndarray:
        return array.cpu().numpy()
