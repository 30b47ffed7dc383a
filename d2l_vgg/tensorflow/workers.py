"""Workers that add their arrays by TensorFlow's own engine."""

from __future__ import annotations

import functools
import os
from typing import Any

import numpy as np
import tensorflow as tf

from d2l_vgg.training import team


class Team(team.Team):
    """Workers that meet as `MultiWorkerMirroredStrategy` lets them.

    Each listens at an address of its own; `$TF_CONFIG` names all. Of the
    strategy nothing is used but that, as its variables are not Keras's of
    every day: arrays are added by the operation that it adds its own by.
    """

    lost = (RuntimeError, tf.errors.OpError)

    def meet(self) -> None:
        if 'TF_CONFIG' not in os.environ:
            raise ValueError(
                "TensorFlow's workers have to know the addresses of all: "
                'start them by `d2l-vgg launch`.'
            )
        tf.distribute.MultiWorkerMirroredStrategy()
        self.keys: dict = {}
        self.compiled: dict = {}

    def sum(self, arrays: list) -> list:
        # One for each form: TensorFlow warns of one that sees many
        form = tuple(tuple(array.shape) for array in arrays)
        if form not in self.compiled:
            self.compiled[form] = tf.function(
                functools.partial(self.added), autograph=False
            )
        return self.compiled[form](arrays)

    def added(self, arrays):
        return [
            tf.raw_ops.CollectiveReduceV2(
                input=array,
                group_size=self.count,
                group_key=1,
                instance_key=self.key(i, array),
                ordering_token=[],
                merge_op='Add',
                final_op='Id',
            )
            for i, array in enumerate(arrays)
        ]

    def key(self, i, array):
        """Return a number that is the same in all workers, for this shape."""
        name = i, tuple(array.shape)
        return self.keys.setdefault(name, 1 + len(self.keys))

    def to_device(self, array: np.ndarray, trainer: Any) -> Any:
        return tf.constant(array)

    def to_numpy(self, array: Any) -> np.ndarray:
        return array.numpy()
