"""The book's training loop, for any framework.

A step returns what it measured, and the loop records it. Around the steps
stands what a long run needs: seeds that repeat it, checkpoints that continue
it, and a stop between two steps.
"""

from __future__ import annotations

import abc
import collections
import contextlib
import itertools
import math
import time
from collections.abc import Iterator
from typing import Any

from d2l_vgg.datasets.minibatches import Minibatches
from d2l_vgg.training import errors, interrupts, labels, preparation, seeds
from d2l_vgg.training.history import History

# How many minibatches may wait in the device's queue: one keeps it busy; with
# more, their preparation disturbs the computation on a CPU (BENCHMARKS.md)
MAX_QUEUED = 1


class Trainer(preparation.Preparation):
    __doc__ = preparation.Preparation.__doc__

    # ------------------------------------- what a framework fills in

    @abc.abstractmethod
    def train_step(self, batch: tuple, lr: float | None = None) -> dict:
        """Compute the gradient on a minibatch and follow it downhill.

        The loss is what the model's `training_step` returns, in train mode.
        Of several workers the mean of the gradients counts, then clipped.
        Without `lr`, the learning rate stays as the model has set it.
        Returns `take_metrics()`, name -> scalar on the device.
        """

    @abc.abstractmethod
    def validation_step(self, batch: tuple) -> dict:
        """As `train_step`, by the model's `validation_step`, predicting."""

    @abc.abstractmethod
    def wait_for(self, value: Any) -> None:
        """Wait until the device has computed `value`."""

    def detach(self, value: Any) -> Any:
        """Return a scalar without its gradient, not copied to the CPU."""
        return value

    # ---------------------------------------------- what all share

    @seeds.preserve_rng_state()
    def fit(self, model: Any, data: Any, resume: bool = False) -> History:
        """Train `model` on `data` and return the `History` of the run.

        With `resume`, continue from the file `checkpoint`; the run then ends
        with the parameters and the history of one that was never stopped.
        Python's and NumPy's own generators are afterwards as they were.

        Raises:
            TrainingDiverged: the loss or a parameter is no longer finite.
                What was recorded is in `trainer.history`.
            checkpoint.BadCheckpoint: `checkpoint` is damaged or was made by
                another run.
            interrupts.Stopped: Ctrl-C or SIGTERM, after saving the run.
            ValueError: `resume` without a `checkpoint`, a hyperparameter
                that the model cannot follow, or a label without a class.
        """
        self.check_arguments(model, data, resume)
        self.board.open()
        # A loader may draw as it is made
        seeds.seed_global(self.seed, 0)
        self.prepare(model, data)
        self.epoch = self.train_batch_idx = self.val_batch_idx = 0
        self.seconds = 0.0
        self.history = History(
            self.num_train_batches,
            self.num_val_batches,
            model.plot_train_per_epoch,
            model.plot_valid_per_epoch,
        )
        if resume:
            self.load_checkpoint()
        self.workers.prepare(self, resume)
        self.saved = time.monotonic()
        self.started = self.saved - self.seconds
        self.start_board()
        self.metrics = collections.OrderedDict()
        self.queued: collections.deque = collections.deque()
        try:
            with self.plots_of(model), self.workers.ending():
                with interrupts.deferred() as self.stop:
                    if self.stop.asked:  # While all this was prepared
                        raise interrupts.Stopped(self)
                    while self.epoch < self.max_epochs:
                        self.fit_epoch()
        finally:
            self.board.close()
            self.seconds = time.monotonic() - self.started
        return self.history

    def fit_epoch(self) -> None:
        """Train on each minibatch once, then validate."""
        # Not where a run goes on that was stopped in the validation
        if self.train_batch_idx < (self.epoch + 1) * self.num_train_batches:
            self.train_epoch()
            if self.checkpoint is None:  # Else they are asked as it is saved
                # A finite loss may hide nan: oneDNN's ReLU makes 0 of it
                self.finite_arrays()
            self.save_if_due(now=True)
        for batch in self.minibatches(self.val_dataloader or ()):
            self.record('val', self.validation_step(batch))
            self.val_batch_idx += 1
            if self.stop.asked:
                # The checkpoint was written before; it will validate again
                raise interrupts.Stopped(self)
        self.epoch += 1
        # Always at the end; before, a kill would cost this validation only
        self.save_if_due(now=self.epoch == self.max_epochs)
        self.board.end_epoch(self.epoch, self.history)

    def train_epoch(self) -> None:
        """Train on the minibatches of this epoch that are still to do."""
        done = self.train_batch_idx - self.epoch * self.num_train_batches
        for batch in self.minibatches(self.train_dataloader, done):
            seed = self.seed, self.train_batch_idx, *self.workers.own_seed
            self.seed_device(seeds.mix(*seed))
            lr = None  # The model's, which may have a schedule of its own
            if self.lr_schedule != 'constant':
                num_steps = self.max_epochs * self.num_train_batches
                lr = self.lr * self.schedule(self.train_batch_idx / num_steps)
            self.record('train', self.train_step(batch, lr))
            self.train_batch_idx += 1
            if self.stop.asked:
                self.save_if_due(now=True)
                raise interrupts.Stopped(self)
            self.save_if_due()

    def minibatches(self, dataloader: Any, first: int = 0) -> Iterator[tuple]:
        """Iterate over this epoch from its minibatch number `first` on."""
        seeds.seed_global(self.seed, self.epoch)
        if isinstance(dataloader, Minibatches):
            return dataloader.start_at(first, [self.seed, self.epoch])
        # Any other loader has to make those before `first`, too
        batches = itertools.islice(dataloader, first, None)
        return labels.checked(batches, self)

    def record(self, phase: str, metrics: dict) -> None:
        """Add what a step has measured to the history, and keep pace.

        `phase` is 'train' or 'val', `metrics` name -> scalar on the device.
        """
        # Validation is at the end of its epoch, training within
        x, every_n = self.epoch + 1.0, self.history.val_every_n
        if phase == 'train':
            x = self.train_batch_idx / self.num_train_batches
            every_n = self.history.train_every_n
        means = self.workers.mean(list(metrics.values()))
        for name, value in zip(metrics, means):
            series = f'{phase}_{name}'
            point = self.history.record(series, x, value, every_n)
            if point is not None:
                self.board.point(self.history)
                if not math.isfinite(point[1]):
                    raise errors.TrainingDiverged(series, *point, self.lr)
            self.queued.append(value)
        while len(self.queued) > MAX_QUEUED:
            self.wait_for(self.queued.popleft())
        self.board.step()

    @contextlib.contextmanager
    def plots_of(self, model: Any) -> Iterator[None]:
        """Within the block, take what a model of d2l's own plots.

        d2l's `plot` reads every value, which waits for the device at each
        step. A class that plots in a way of its own goes on doing so.
        """
        plot = getattr(type(model), 'plot', None)
        taken = getattr(plot, '__module__', 'd2l').split('.')[0] == 'd2l'
        taken = taken and 'plot' not in vars(model)
        if taken:
            model.plot = self.plot
        try:
            yield
        finally:
            if taken:
                del model.plot

    def plot(self, key: str, value: Any, train: bool) -> None:
        """Collect a value that the model reports in a step, unread.

        Nothing is drawn here: the step returns what was collected, and
        `record`, which knows the phase, makes points of it. A step that is
        compiled calls this once, when it is traced.
        """
        self.metrics[key] = self.detach(value)

    def take_metrics(self) -> dict:
        """Return what was collected in this step, and begin a new one."""
        metrics = self.metrics
        # JAX would sort the keys of any other dictionary
        self.metrics = collections.OrderedDict()
        return metrics
