"""Processes that train one network, each on its share of the images.

What they compute of a minibatch is averaged, so that they all take the step
that one process takes. How arrays are added is a matter of the framework.
"""

import abc
import atexit
import contextlib
import functools
import json
import os
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from d2l_vgg import gpus, machine
from d2l_vgg.datasets.minibatches import Minibatches
from d2l_vgg.training import interrupts, workers


class SingleProcess:
    """The only process: it takes whole minibatches and shares nothing."""

    count = 1
    own_seed: tuple = ()

    def prepare(self, trainer: Any, resumes: bool) -> None:
        """Deal the minibatches, and let all begin where the first one is.

        `resumes` tells whether that goes on from a checkpoint. Raises
        ValueError where they do not train the same in the same way.
        """

    def mean(self, arrays: list) -> list:
        """Return the mean of each array over the whole minibatch.

        The arrays, means over this process's share, are the framework's.
        """
        return arrays

    @contextlib.contextmanager
    def ending(self) -> Iterator[None]:
        """Within the block, say ConnectionError when a process is gone."""
        yield


class ProcessGroup(SingleProcess, abc.ABC):
    """One of several processes; a framework fills in how they add arrays."""

    # Whether on one machine its engine listens to that machine only
    is_private = True

    def __init__(self) -> None:
        self.rank, self.count = workers.rank(), workers.count()
        # The share of this process in the minibatch that was dealt last
        self.weight = 1.0
        # The first draws the dropout masks of a run without others
        self.own_seed = (self.rank,) if self.rank else ()
        self.status = 1
        take_gpu()
        if self.rank == 0:
            workers.announce(self.is_private)
        timer = threading.Timer(workers.SECONDS_TO_MEET, workers.give_up)
        timer.daemon = True
        timer.start()
        with interrupts.at_once():  # Engines wait outside of Python
            self.meet(*workers.address())
        timer.cancel()
        atexit.register(self.leave)

    @abc.abstractmethod
    def meet(self, host: str, port: int) -> None:
        """Wait for the others at this address, that of the first."""

    @abc.abstractmethod
    def sum(self, arrays: list) -> list:
        """Return the sum of each array, maybe in place of it."""

    def to_numpy(self, array: Any) -> np.ndarray:
        """Return what `sum` has returned as an array of NumPy."""
        return np.asarray(array)

    def prepare(self, trainer: Any, resumes: bool) -> None:
        if trainer.draws_seed:
            raise ValueError(
                'Several processes have to draw the same numbers: give them '
                'a seed, Trainer(..., seed=0).'
            )
        for loader in trainer.train_dataloader, trainer.val_dataloader:
            if not isinstance(loader, Minibatches):
                raise ValueError(
                    'Several processes can deal the minibatches of '
                    "d2l_vgg's FashionMNIST only, not those of "
                    f'{type(loader).__name__}: train in one process.'
                )
            loader.share = self.share
        with self.ending():
            self.begin_together(trainer, self.agree(trainer, resumes))

    def share(self, first: int, end: int) -> slice:
        """Return which of the examples `first` to `end` are its own.

        With too few of them, some processes compute one that counts nothing.
        """
        size = end - first
        begin = first + self.rank * size // self.count
        stop = first + (self.rank + 1) * size // self.count
        self.weight = (stop - begin) / size
        begin = min(begin, end - 1)
        return slice(begin, max(stop, begin + 1))

    def mean(self, arrays: list) -> list:
        return self.sum([array * self.weight for array in arrays])

    def agree(self, trainer: Any, resumes: bool) -> list:
        """Return where the first one begins; ValueError if others differ."""
        position = trainer.epoch, trainer.train_batch_idx, resumes
        settings = trainer.settings()
        settings = {**machine.versions(settings['framework']), **settings}
        mine = json.dumps([settings, position]).encode()
        sizes = np.zeros(self.count, 'float32')
        sizes[self.rank] = len(mine)
        (sizes,) = self.sum_numpy([sizes], trainer)
        told = np.zeros((self.count, int(sizes.max())), 'float32')
        told[self.rank, : len(mine)] = np.frombuffer(mine, 'uint8')
        (told,) = self.sum_numpy([told], trainer)
        texts = [row.astype('uint8').tobytes().rstrip(b'\0') for row in told]
        (first, position), *others = map(json.loads, texts)
        for other, (found, _) in enumerate(others, 1):
            for name, value in found.items():
                if value != first.get(name):
                    raise ValueError(
                        f'Worker {other} of {self.count} has {name} {value}, '
                        f'and worker 0 has {first.get(name)}: start all with '
                        'the same command, versions and images.'
                    )
        return position

    def begin_together(self, trainer: Any, position: list) -> None:
        """Give all processes what the first one has."""
        trainer.epoch, trainer.train_batch_idx, resumed = position
        trainer.val_batch_idx = trainer.epoch * trainer.num_val_batches
        if resumed:
            trainer.make_optimizer_state()
        arrays = trainer.arrays()
        mine = list(arrays.values())
        if self.rank:
            mine = list(map(np.zeros_like, mine))
        trainer.load_arrays(dict(zip(arrays, self.sum_numpy(mine, trainer))))

    def sum_numpy(self, arrays: list, trainer: Any) -> list:
        """Return the sums of arrays of NumPy, as such."""
        to_device = trainer.train_dataloader.to_device
        sums = self.sum([to_device(array, 'float32') for array in arrays])
        return [
            self.to_numpy(total).astype(array.dtype)
            for total, array in zip(sums, arrays)
        ]

    @contextlib.contextmanager
    def ending(self) -> Iterator[None]:
        self.status = 1
        try:
            yield
            self.status = 0
        except KeyboardInterrupt:
            self.status = 130
            raise
        except RuntimeError as error:
            if type(error).__module__.startswith('d2l_vgg'):
                raise
            raise ConnectionError(
                f'Worker {self.rank} of {self.count} cannot go on, most '
                f'likely because another one is gone ({str(error)[:200]}): '
                'continue the run with --resume.'
            ) from error

    def leave(self) -> None:
        """End after an error: an engine would wait for all at its exit."""
        if self.status:
            try:
                sys.stdout.flush()
            finally:
                os._exit(self.status)


@functools.cache
def join(group: type[ProcessGroup] | None) -> SingleProcess:
    """Return this process, once it has met the others, if there are any.

    `group` is None where the framework cannot train with others.
    """
    if workers.count() == 1:
        return SingleProcess()
    if group is None:
        raise ValueError(
            f'{workers.count()} processes were started, and only PyTorch and '
            'JAX train one network by several: take one of these, or start '
            'one process.'
        )
    return group()


def take_gpu() -> None:
    """Let this process see but one GPU of its machine, if that has any."""
    visible = os.environ.get('CUDA_VISIBLE_DEVICES')
    found = list(map(str, range(len(gpus.names()))))
    if not found or visible in ('', '-1'):
        return
    found = visible.split(',') if visible else found
    place = workers.number('LOCAL_RANK', 0)
    if place >= len(found):
        raise ValueError(
            f'Worker {workers.rank()} is number {place + 1} on its machine, '
            f'which has {len(found)} GPUs: start as many, or set '
            'CUDA_VISIBLE_DEVICES= to compute on the processor.'
        )
    os.environ['CUDA_VISIBLE_DEVICES'] = found[place]
