"""What a trainer saves of a run, and how it goes on from there."""

from __future__ import annotations

import abc
import os
import time
from typing import Any

from d2l_vgg.training import checkpoint as checkpoints
from d2l_vgg.training import experiments
from d2l_vgg.training.history import History


class Resuming:
    """Mixed into a trainer: its checkpoint, written and read.

    What is saved is all that the rest of the run depends on.
    """

    data: Any
    checkpoint: Any
    checkpoint_seconds: float
    history: History
    epoch: int
    train_batch_idx: int
    val_batch_idx: int
    num_val_batches: int
    started: float
    saved: float
    seconds: float

    @abc.abstractmethod
    def arrays(self) -> checkpoints.Arrays:
        """Return name -> NumPy array of all that training changes.

        These are parameters and running statistics, under the names and in
        the layout of `d2l_vgg.networks.names`, and what the optimizer keeps
        of each, under the names of `optimizer_name`.
        """

    @abc.abstractmethod
    def load_arrays(self, arrays: checkpoints.Arrays) -> None:
        """Take up what `arrays` has returned, of the very same form.

        As many updates as `train_batch_idx` tells have been made of it.
        """

    def make_optimizer_state(self) -> None:
        """Let the optimizer have all that it keeps, without a step."""

    def threads(self) -> object:
        """Return how many threads compute, on which the last bits depend."""
        return os.environ.get('OMP_NUM_THREADS')

    def save_if_due(self, ended: bool = False) -> None:
        """Save a run that has `ended`, or was not saved for long enough."""
        if ended or time.monotonic() - self.saved > self.checkpoint_seconds:
            self.save_checkpoint()

    def save_checkpoint(self) -> None:
        """Write the run to `checkpoint`, if there is one."""
        if self.checkpoint is None:
            return
        meta = {
            'settings': self.settings(),
            'threads': self.threads(),
            'epoch': self.epoch,
            'train_batch_idx': self.train_batch_idx,
            'history': self.history.state(),
            'seconds': time.monotonic() - self.started,
        }
        checkpoints.save(self.checkpoint, self.arrays(), meta)
        self.saved = time.monotonic()

    def load_checkpoint(self) -> None:
        """Return to where the run was when `checkpoint` was written."""
        arrays, meta = checkpoints.load(self.checkpoint)
        checkpoints.check_meta(self.checkpoint, meta, self.settings())
        self.make_optimizer_state()
        checkpoints.check_arrays(self.checkpoint, arrays, self.arrays())
        checkpoints.tell_threads(meta['threads'], self.threads())
        self.epoch = meta['epoch']
        self.train_batch_idx = meta['train_batch_idx']
        self.val_batch_idx = self.epoch * self.num_val_batches
        self.history = History.from_state(meta['history'])
        self.seconds = meta['seconds']
        self.load_arrays(arrays)

    def settings(self) -> dict[str, Any]:
        """Return what must be the same in a run and in its continuation.

        Of foreign data only what they have is known.
        """
        mine = [name for name in vars(self) if name in experiments.FIELDS]
        found = {name: getattr(self, name) for name in mine}
        for name in 'batch_size', 'resize', 'flip', 'shift', 'digest':
            found[name] = getattr(self.data, name, None)
        # Last, as it is by one of those above if these differ
        for name in 'num_train_batches', 'num_val_batches':
            found[name] = getattr(self, name)
        return found
