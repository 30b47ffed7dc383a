"""Workers: processes that train one network, each on its share of the images.

Each minibatch is dealt to all of them; what they compute of it, gradients
above all, is averaged, and so they all take the step that one process takes
with the whole minibatch. How arrays come from one to another is a matter of
the framework's own engine.
"""

from __future__ import annotations

import abc
import contextlib
import functools
import json
import os
import sys
import threading
import time
from typing import Any, Iterator

import numpy as np

from d2l_vgg import wheels
from d2l_vgg.datasets.minibatches import Minibatches
from d2l_vgg.training import interrupts, trial, workers

# How long they wait for one another at the start, and when that is told
SECONDS_TO_MEET = 300
SECONDS_TO_TELL = 5
# How long one that has lost another waits for the end that its launcher
# brings to all of them
SECONDS_TO_END = 20


def join(kind: Any) -> Any:
    """Return this process as one of the workers, once it has met the others.

    `kind` is the `Team` of the framework.
    """
    return Alone() if workers.count() == 1 else _met(kind)


@functools.lru_cache(maxsize=None)
def _met(kind):
    return kind()


class Alone:
    """The only worker: it takes whole minibatches and shares nothing."""

    count = 1
    own_seed: tuple = ()

    def prepare(self, trainer: Any, resumes: bool) -> None:
        """Deal the minibatches, and let all begin where the first one is.

        `resumes` tells whether that goes on from a checkpoint.

        Raises:
            ValueError: they do not train the same in the same way.
        """

    def mean(self, arrays: list) -> list:
        """Return the mean of each array over the whole minibatch.

        Each worker gives its mean over its own share. The arrays are the
        framework's, on its device; it may change them in place.
        """
        return arrays

    @contextlib.contextmanager
    def ending(self) -> Iterator[None]:
        """Within the block, wait to be ended when another one is gone."""
        yield


class Team(Alone, abc.ABC):
    """One of several workers; a framework fills in how they add arrays."""

    def __init__(self) -> None:
        self.rank, self.count = workers.rank(), workers.count()
        if not self.rank < self.count:
            raise ValueError(
                f'$RANK is {self.rank}, but there are only {self.count} '
                'workers: it must be one of 0 to $WORLD_SIZE - 1.'
            )
        # The share of this worker in the minibatch that was dealt last
        self.weight = 1.0
        # The first draws the dropout masks of a run without others
        self.own_seed = (self.rank,) if self.rank else ()
        with ended_after(SECONDS_TO_MEET), told_after(SECONDS_TO_TELL):
            with interrupts.at_once():  # Engines wait outside of Python
                self.meet()

    # ------------------------------------- what a framework fills in

    # What its engine raises when another worker is gone
    lost: tuple = (RuntimeError,)

    @abc.abstractmethod
    def meet(self) -> None:
        """Wait for the others at `workers.address()`."""

    @abc.abstractmethod
    def sum(self, arrays: list) -> list:
        """Return the sum of each array over all workers.

        They come in the same order and shapes everywhere.
        """

    @abc.abstractmethod
    def to_device(self, array: np.ndarray, trainer: Any) -> Any:
        """Return a float32 array of NumPy as one that `sum` takes."""

    @abc.abstractmethod
    def to_numpy(self, array: Any) -> np.ndarray:
        """Return what `sum` has returned as an array of NumPy."""

    # ---------------------------------------------- what all share

    def prepare(self, trainer: Any, resumes: bool) -> None:
        if trainer.draws_seed:
            raise ValueError(
                'Several workers have to draw the same numbers: give them a '
                'seed, Trainer(..., seed=0).'
            )
        for loader in trainer.train_dataloader, trainer.val_dataloader:
            loader = trial.whole(loader)
            if not isinstance(loader, Minibatches):
                raise ValueError(
                    'Several workers can deal the minibatches of '
                    "d2l_vgg's FashionMNIST only, not those of "
                    f'{type(loader).__name__}: train in one process.'
                )
            loader.share = self.share
        with ended_after(SECONDS_TO_MEET), self.ending():
            self.check_same(trainer)
            self.begin_together(trainer, resumes)

    def share(self, first: int, end: int) -> slice:
        """Return which of the examples `first` to `end` are this worker's.

        With fewer examples than workers, some compute one that counts
        nothing.
        """
        size = end - first
        begin = first + self.rank * size // self.count
        stop = first + (self.rank + 1) * size // self.count
        self.weight = (stop - begin) / size
        begin = min(begin, end - 1)
        return slice(begin, max(stop, begin + 1))

    def mean(self, arrays: list) -> list:
        return self.sum([array * self.weight for array in arrays])

    def check_same(self, trainer: Any) -> None:
        """Refuse to train beside workers that would train otherwise.

        Raises:
            ValueError: versions, hyperparameters or images differ.
        """
        framework = type(self).__module__.split('.')[1]
        mine = json.dumps(
            {**wheels.versions(framework), **trainer.settings()}
        ).encode()
        told = np.zeros((self.count, 8192), 'float32')
        told[self.rank, : len(mine)] = np.frombuffer(mine, 'uint8')
        (told,) = self.sum_numpy([told], trainer)
        all_told = [
            json.loads(row.astype('uint8').tobytes().rstrip(b'\0'))
            for row in told
        ]
        for other, settings in enumerate(all_told):
            for name, value in settings.items():
                first = all_told[0].get(name)
                if value != first:
                    raise ValueError(
                        f'Worker {other} of {self.count} has {name} {value}, '
                        f'and worker 0 has {first}: start all with the same '
                        'command, versions and images.'
                    )

    def begin_together(self, trainer: Any, resumes: bool) -> None:
        """Give all workers what the first one has."""
        position = [trainer.epoch, trainer.train_batch_idx, int(resumes)]
        # A float32 tells whole numbers up to 2**24
        parts = [part for n in position for part in divmod(n, 4096)]
        (parts,) = self.first_ones([np.array(parts, 'float32')], trainer)
        trainer.epoch, trainer.train_batch_idx, resumed = (
            int(whole) * 4096 + int(rest)
            for whole, rest in parts.reshape(-1, 2)
        )
        trainer.val_batch_idx = trainer.epoch * trainer.num_val_batches
        if resumed:
            trainer.make_optimizer_state()
        mine = trainer.arrays()
        found = self.first_ones(list(mine.values()), trainer)
        trainer.load_arrays(dict(zip(mine, found)))

    def first_ones(self, arrays: list, trainer: Any) -> list:
        """Return the arrays that the first worker has given."""
        if self.rank:
            arrays = [np.zeros_like(array) for array in arrays]
        return self.sum_numpy(arrays, trainer)

    def sum_numpy(self, arrays: list, trainer: Any) -> list:
        """Return the sums of arrays of NumPy, as such."""
        sums = self.sum(
            [self.to_device(a.astype('float32'), trainer) for a in arrays]
        )
        return [
            self.to_numpy(total).reshape(a.shape).astype(a.dtype)
            for total, a in zip(sums, arrays)
        ]

    @contextlib.contextmanager
    def ending(self) -> Iterator[None]:
        try:
            yield
        except self.lost as error:
            if type(error).__module__.startswith('d2l_vgg'):
                raise
            # The one that is gone is to be told of, not the others
            time.sleep(SECONDS_TO_END)
            raise ConnectionError(
                f'Worker {self.rank} of {self.count} cannot go on, most '
                f'likely because another one is gone ({str(error)[:200]}).'
            ) from error


@contextlib.contextmanager
def ended_after(seconds: float) -> Iterator[None]:
    """End the process if the block, which may hang, takes any longer."""

    def end():
        tell(
            f'has waited {seconds} seconds',
            'see that each host reaches that address, and start anew',
        )
        os._exit(1)

    with _after(seconds, end):
        yield


@contextlib.contextmanager
def told_after(seconds: float) -> Iterator[None]:
    """Tell that the block waits if it takes any longer.

    Nobody has to be told of whom `d2l-vgg launch` has started; but a cluster
    may have set `$WORLD_SIZE` for something else.
    """
    if workers.LISTENS in os.environ:
        yield
        return
    advice = 'unset WORLD_SIZE to train without any'
    with _after(seconds, lambda: tell('waits', advice)):
        yield


def tell(waits: str, advice: str) -> None:
    """Write that this worker waits for the others, and what to do."""
    rank, count = workers.rank(), workers.count()
    host, port = workers.address()
    print(
        f'd2l-vgg: Worker {rank} of {count} {waits} for the others at '
        f'{host}, port {port}: {advice}.',
        file=sys.stderr,
        flush=True,
    )


@contextlib.contextmanager
def _after(seconds, act):
    """Call `act` if the block takes any longer."""
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
