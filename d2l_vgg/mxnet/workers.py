"""Processes that add their arrays by MXNet's own engine.

That is a key-value store: a server adds what workers push under a key, and
gives the sum to those that pull it.
"""

import os
import socket
import subprocess
import sys

import mxnet as mx
import numpy as onp
from mxnet import np

from d2l_vgg.training import processes, workers

# It serves until the workers are done, or until the first, which holds its
# input, is gone; a reader's queue.py in the present folder is not Python's
SERVE = """
import sys
sys.path[:] = {}
from d2l_vgg import children, frameworks
children.end_with_parent()
frameworks.load('mxnet')
"""


class ProcessGroup(processes.ProcessGroup):
    """Processes with a synchronous distributed key-value store.

    Its scheduler and its server are child processes of the first.
    """

    def meet(self, host: str, port: int) -> None:
        host = socket.gethostbyname(host)
        if workers.is_one_machine():  # Else that of an outward interface
            os.environ['DMLC_NODE_HOST'] = host
        os.environ.update(
            DMLC_PS_ROOT_URI=host,
            DMLC_PS_ROOT_PORT=str(port),
            DMLC_NUM_WORKER=str(self.count),
            DMLC_NUM_SERVER='1',
            DMLC_ROLE='worker',
        )
        code = SERVE.format(list(filter(None, sys.path)))
        self.children = [
            subprocess.Popen(
                [sys.executable, '-c', code],
                env={**os.environ, 'DMLC_ROLE': role},
                stdin=subprocess.PIPE,
                start_new_session=True,
            )
            for role in ('scheduler', 'server')
            if self.rank == 0
        ]
        self.store = mx.kv.create('dist_sync')
        self.keys: set = set()

    def sum(self, arrays: list) -> list:
        keys = [f'{i}: {array.shape}' for i, array in enumerate(arrays)]
        for key, array in zip(keys, arrays):
            if key not in self.keys:  # In the same order everywhere
                self.store.init(key, np.zeros_like(array))
                self.keys.add(key)
        for i, (key, array) in enumerate(zip(keys, arrays)):
            self.store.pushpull(key, array, priority=-i)
        return arrays

    def to_numpy(self, array: np.ndarray) -> onp.ndarray:
        return array.asnumpy()
