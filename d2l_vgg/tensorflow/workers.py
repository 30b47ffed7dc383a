"""Processes that add their arrays by TensorFlow's own engine."""

from __future__ import annotations

import functools
import json
import os
from typing import Any

import numpy as np
import tensorflow as tf

from d2l_vgg.training import team, workers


class ProcessGroup(team.ProcessGroup):
    """Processes that meet as `MultiWorkerMirroredStrategy` lets them.

    Each listens at an address of its own; `$TF_CONFIG` names all. Of the
    strategy nothing is used but that, as its variables are not Keras's of
    every day: arrays are added by the operation that it adds its own by.
    """

    lost = (RuntimeError, tf.errors.OpError)

    def meet(self) -> None:
        host, port = workers.address()
        if 'TF_CONFIG' not in os.environ:
            if not workers.is_one_machine():
                raise ValueError(
                    'Several machines are not supported in TensorFlow '
                    'without the addresses of all processes: set TF_CONFIG, '
                    'or train on one.'
                )
            cluster = [f'{host}:{port + i}' for i in range(self.count)]
            os.environ['TF_CONFIG'] = json.dumps(
                {
                    'cluster': {'worker': cluster},
                    'task': {'type': 'worker', 'index': self.rank},
                }
            )
        tf.distribute.MultiWorkerMirroredStrategy()
        self.adding: dict = {}

    def sum(self, arrays: list) -> list:
        # One for each form: TensorFlow warns of one that sees many
        form = tuple(tuple(array.shape) for array in arrays)
        if form not in self.adding:
            first_key = 1 + 1000 * len(self.adding)  # The same everywhere
            added = functools.partial(self.added, first_key)
            self.adding[form] = tf.function(added, autograph=False)
        return self.adding[form](arrays)

    def added(self, first_key, arrays):
        return [
            tf.raw_ops.CollectiveReduceV2(
                input=array,
                group_size=self.count,
                group_key=1,
                instance_key=key,
                ordering_token=[],
                merge_op='Add',
                final_op='Id',
            )
            for key, array in enumerate(arrays, first_key)
        ]

    def to_device(self, array: np.ndarray, trainer: Any) -> Any:
        return tf.constant(array)

    def to_numpy(self, array: Any) -> np.ndarray:
        return array.numpy()


# The name that trainers know it by
Team = ProcessGroup
