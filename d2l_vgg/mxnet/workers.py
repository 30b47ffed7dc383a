"""Workers that add their arrays by MXNet's own engine.

That is a key-value store: servers add what workers push under a key, and give
the sum to those that pull it. Where they are, the environment tells.
"""

from __future__ import annotations

import os
from typing import Any

import mxnet as mx
import numpy as onp
from mxnet import np

from d2l_vgg.training import team


class Team(team.Team):
    """Workers of a synchronous distributed key-value store."""

    def meet(self) -> None:
        if 'DMLC_NUM_SERVER' not in os.environ:
            raise ValueError(
                "MXNet's workers need its scheduler and its servers beside "
                'them: start all by `d2l-vgg launch`.'
            )
        os.environ['DMLC_ROLE'] = 'worker'
        self.store = mx.kv.create('dist_sync')
        self.keys: set = set()

    def sum(self, arrays: list) -> list:
        keys = [f'{i}: {array.shape}' for i, array in enumerate(arrays)]
        for key, array in zip(keys, arrays):
            if key not in self.keys:  # In the same order everywhere
                self.store.init(key, np.zeros_like(array))
                self.keys.add(key)
        for i, (key, array) in enumerate(zip(keys, arrays)):
            self.store.push(key, array, priority=-i)
        for i, (key, array) in enumerate(zip(keys, arrays)):
            self.store.pull(key, out=array, priority=-i)
        return arrays

    def to_device(self, array: onp.ndarray, trainer: Any) -> np.ndarray:
        # A store has no arrays without axes, or without elements
        return np.array(array.reshape(-1), ctx=trainer.device)

    def to_numpy(self, array: np.ndarray) -> onp.ndarray:
        return array.asnumpy()
