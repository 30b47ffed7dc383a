"""Processes that add their arrays by TensorFlow's own engine."""

import json
import os

import tensorflow as tf

from d2l_vgg.training import processes, workers


class ProcessGroup(processes.ProcessGroup):
    """Processes that meet as `MultiWorkerMirroredStrategy` lets them.

    Of the strategy nothing is used but that, as its variables are not
    Keras's of every day: arrays are added by the operation below it.
    """

    lost = (RuntimeError, tf.errors.OpError)

    def meet(self, host: str, port: int) -> None:
        if not workers.is_one_machine():
            raise ValueError(
                'Several machines are not supported in TensorFlow: start all '
                'processes on one.'
            )
        cluster = [f'{host}:{port + i}' for i in range(self.count)]
        task = {'type': 'worker', 'index': self.rank}
        os.environ['TF_CONFIG'] = json.dumps(
            {'cluster': {'worker': cluster}, 'task': task}
        )
        tf.distribute.MultiWorkerMirroredStrategy()
        self.adding: dict = {}

    def sum(self, arrays: list) -> list:
        # One for each form: TensorFlow warns of one that sees many
        form = tuple(tuple(array.shape) for array in arrays)
        if form not in self.adding:
            first_key = 1 + 1000 * len(self.adding)  # The same everywhere
            self.adding[form] = self.adding_from(first_key)
        return self.adding[form](arrays)

    def adding_from(self, first_key):
        @tf.function(autograph=False)
        def add(arrays):
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

        return add
