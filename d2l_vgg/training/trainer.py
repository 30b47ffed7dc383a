"""The book's training loop, for any framework.

Around the loop stands what a long run needs: a seed that repeats it,
checkpoints that continue it, and a history that is returned. What touches a
framework's arrays is in the methods that its own `Trainer` fills in.
"""

from __future__ import annotations

import abc
import collections
import os
import time
from collections.abc import Iterator
from typing import Any

from d2l_vgg.datasets.minibatches import start_at
from d2l_vgg.training import checkpoint as checkpoints
from d2l_vgg.training import (
    errors,
    estimate,
    experiments,
    interrupts,
    labels,
    memory,
    plots,
    precisions,
    progress,
    resuming,
    schedules,
    seeds,
    team,
    trial,
)
from d2l_vgg.training.history import History

# How many minibatches may wait in the device's queue: one keeps it busy; with
# more, their preparation disturbs the computation on a CPU (BENCHMARKS.md)
MAX_QUEUED = 1


class Trainer(precisions.Computing, resuming.Resuming):
    """Train a model with minibatch stochastic gradient descent.

    Args:
        max_epochs: passes over the training set
        num_gpus: as in the book, 1 means the CPU where there is no GPU
        gradient_clip_val: largest norm of the gradient, 0 for no limit
        seed: makes the run repeat bit for bit on the same CPU. None draws
            another one at each `fit`, which `trainer.seed` then tells. To
            train epoch by epoch, take None, or for each epoch a trainer with
            a seed of its own: `Trainer(1, seed=epoch)`. Parameters that were
            drawn before `fit`, as by `layer_summary`, stay as they are.
        lr_schedule: 'constant', 'cosine' or 'one_cycle', see
            `d2l_vgg.training.schedules`
        momentum, weight_decay: of gradient descent
        label_smoothing: probability that is taken from the true class and
            spread over all; the book trains with none of these three
        test_flip: judge an image by the mean of its scores and those of its
            mirror image
        precision: 'bfloat16' computes all blocks but the first in that type,
            about twice as fast where the device has it, and rounds to 8
            bits; parameters stay float32
        checkpoint: file to save the run to, None for none
        checkpoint_seconds: how much work may be lost to a power cut
        display: 'bar', 'board', 'lines', 'none', or 'auto' to choose

    Raises:
        ValueError: a number is out of its range, there are fewer GPUs than
            asked for, or the device cannot compute in `precision`.
    """

    def __init__(
        self,
        max_epochs: int,
        num_gpus: int = 0,
        gradient_clip_val: float = 0,
        seed: int | None = None,
        lr_schedule: str = 'constant',
        momentum: float = 0,
        weight_decay: float = 0,
        label_smoothing: float = 0,
        test_flip: bool = False,
        precision: str = 'float32',
        checkpoint: str | None = None,
        checkpoint_seconds: float = 60,
        display: str = 'auto',
    ) -> None:
        self.max_epochs = max_epochs
        self.num_gpus = num_gpus
        self.gradient_clip_val = gradient_clip_val
        self.seed: Any = seed
        self.draws_seed = seed is None
        self.lr_schedule = lr_schedule
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.label_smoothing = label_smoothing
        self.test_flip = test_flip
        self.precision = precision
        self.checkpoint: Any = checkpoint
        self.checkpoint_seconds = checkpoint_seconds
        for name, value in vars(self).items():
            if name in experiments.LIMITS and value is not None:
                # NumPy's numbers become Python's, which JSON can write
                setattr(self, name, experiments.check(name, value))
        self.schedule = schedules.get(lr_schedule)
        # Engines are told of the others before they look for devices
        self.workers: Any = team.join(self.Team)
        self.device = self.find_device(self.num_gpus)
        precisions.check(precision, self.lack_of)
        self.board = progress.make(display)
        self.history: History = None  # type: ignore[assignment]
        self.seconds = 0.0
        self.trial = trial.size()
        self.takes_plots = False

    # ------------------------------------- what a framework fills in

    @property
    @abc.abstractmethod
    def Team(self) -> type[team.Team]:
        """The framework's subclass of `training.team.Team`."""

    @abc.abstractmethod
    def find_device(self, num_gpus: int) -> Any:
        """Return the device that `num_gpus` stands for; 1 may be the CPU.

        Raises:
            ValueError: there is no such device.
        """

    @abc.abstractmethod
    def seed_device(self, seed: int) -> None:
        """Seed the generator that draws parameters and dropout masks."""

    @abc.abstractmethod
    def prepare_model(self, model: Any) -> int:
        """Put `model` on the device, compiled, with its parameters drawn.

        Takes its optimizer, too. `self.train_dataloader` is there already.
        Returns how many scores it gives an example.

        Raises:
            ValueError: the model cannot heed a hyperparameter of this
                trainer.
        """

    @abc.abstractmethod
    def train_step(self, batch: tuple, lr: float | None = None) -> None:
        """Compute the gradient on a minibatch and follow it downhill.

        The model plots the loss meanwhile. Without `lr`, the learning rate
        stays as the model has set it.
        """

    @abc.abstractmethod
    def validation_step(self, batch: tuple) -> None:
        """Let the model plot loss and accuracy on a minibatch."""

    @abc.abstractmethod
    def forward(self, batch: tuple) -> Any:
        """Return the scores of a minibatch, (batch_size, num_classes)."""

    @abc.abstractmethod
    def labels(self, batch: tuple) -> Any:
        """Return the labels of a minibatch, None if the device has them."""

    @abc.abstractmethod
    def detach(self, value: Any) -> Any:
        """Return a scalar of the framework without its gradient, unread."""

    @abc.abstractmethod
    def wait_for(self, value: Any) -> None:
        """Wait until the device has computed `value`."""

    # ---------------------------------------------- what all share

    @seeds.kept_apart()
    def fit(self, model: Any, data: Any, resume: bool = False) -> History:
        """Train `model` on `data` and return the `History` of the run.

        With `resume`, continue from the file `checkpoint`; the run then ends
        with the parameters and the history of one that was never stopped.
        Python's and NumPy's own generators are afterwards as they were.

        Raises:
            TrainingDiverged: the loss is no longer finite. What was recorded
                is in `trainer.history`.
            checkpoint.BadCheckpoint: `checkpoint` is damaged or was made by
                another run.
            interrupts.Stopped: Ctrl-C or SIGTERM, after saving the run.
            ValueError: `resume` without a `checkpoint`, a hyperparameter
                that the model cannot heed, or a label without a class.
        """
        if resume and self.checkpoint is None:
            raise ValueError(
                'resume is True, but this trainer has no checkpoint to go on '
                'from: name its file, Trainer(..., checkpoint=path).'
            )
        errors.check_model(model)
        if self.draws_seed and resume:
            self.seed = checkpoints.load_seed(self.checkpoint)
        elif self.draws_seed:
            self.seed = int.from_bytes(os.urandom(4), 'big')
        if hasattr(model, 'lr'):  # Else `prepare_model` tells what it lacks
            self.lr = experiments.check('lr', model.lr)
        memory.check_fit(self, model, data)
        self.board.open()
        # A loader may draw as it is made
        seeds.seed_global(self.seed, 0)
        self.prepare(model, data)
        labels.check_sets(self)
        self.epoch = self.train_batch_idx = self.val_batch_idx = 0
        self.seconds = 0
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
        self.values, self.queued = {}, collections.deque()
        try:
            with plots.taken(model, self), self.workers.ending():
                with interrupts.deferred() as self.stop:
                    while self.epoch < self.max_epochs:
                        self.fit_epoch()
        finally:
            self.board.close()
            self.seconds = time.monotonic() - self.started
        return self.history

    def prepare(self, model: Any, data: Any) -> None:
        """Bring model and data to the device."""
        self.prepare_data(data)
        model.trainer = self
        self.model = model
        self.seed_device(self.seed)
        self.num_classes = self.prepare_model(model)

    def prepare_data(self, data: Any) -> None:
        """Take the minibatches: with `$D2L_VGG_TRIAL` only so many, once.

        This setting shows that a long run would start and end well.
        """
        self.data = data
        data.trainer = self  # It holds its images where they are used
        self.board.note = trial.note(self.trial)
        self.train_dataloader = data.train_dataloader()
        self.val_dataloader = data.val_dataloader()
        self.num_train_batches = len(self.train_dataloader)
        self.num_val_batches = len(self.val_dataloader or ())
        trial.shorten(self, self.trial)

    def start_board(self) -> None:
        if self.trial:
            self.board.tell(trial.note(self.trial))
        per_epoch = self.num_train_batches + self.num_val_batches
        self.board.start(
            self.max_epochs * per_epoch,
            self.train_batch_idx + self.epoch * self.num_val_batches,
            self.max_epochs,
            getattr(self.data, 'batch_size', None),
        )
        if self.on_cpu and self.board.announces:
            self.board.announce(estimate.rest_of(self))

    def fit_epoch(self) -> None:
        """Train on each minibatch once, then validate."""
        if self.train_batch_idx < (self.epoch + 1) * self.num_train_batches:
            self.train_epoch()
            self.save_checkpoint()
        for batch in self.minibatches(self.val_dataloader or ()):
            self.validation_step(batch)
            self.record_values(train=False)
            self.val_batch_idx += 1
            if self.stop.asked:
                # Saved when its training ended: it validates again
                raise interrupts.Stopped(self)
        self.epoch += 1
        # Else no more than this validation would be done again
        self.save_if_due(ended=self.epoch == self.max_epochs)
        self.board.end_epoch(self.epoch, self.history)

    def train_epoch(self) -> None:
        """Train on the minibatches of this epoch that are still to do."""
        done = self.train_batch_idx - self.epoch * self.num_train_batches
        for batch in self.minibatches(self.train_dataloader, done):
            seed = self.seed, self.train_batch_idx, *self.workers.own_seed
            self.seed_device(seeds.mix(*seed))
            self.train_step(batch, self.scheduled_lr())
            self.record_values(train=True)
            self.train_batch_idx += 1
            if self.stop.asked:
                self.save_checkpoint()
                raise interrupts.Stopped(self)
            self.save_if_due()

    def minibatches(self, dataloader: Any, first: int = 0) -> Iterator[tuple]:
        """Iterate over this epoch from its minibatch number `first` on."""
        seeds.seed_global(self.seed, self.epoch)
        batches = start_at(dataloader, first, [self.seed, self.epoch])
        return labels.checked(batches, dataloader, self)

    def scheduled_lr(self) -> float | None:
        """Return the learning rate for this minibatch, None for the model's.

        The model may have a schedule of its own.
        """
        if self.lr_schedule == 'constant':
            return None
        num_steps = self.max_epochs * self.num_train_batches
        return self.lr * self.schedule(self.train_batch_idx / num_steps)

    def plot(self, key: str, value: Any, train: bool) -> None:
        """Take a value that a step of the model computes, without reading it.

        Called by the model's `training_step` and `validation_step`, or by
        the `plot` of a class that plots in a way of its own.
        """
        self.values[('train_' if train else 'val_') + key] = self.detach(
            value
        )

    def record_values(self, train: bool) -> None:
        """Add the values of this minibatch to the history, and keep pace."""
        if train:
            x = self.train_batch_idx / self.num_train_batches
            every_n = self.history.train_every_n
        else:
            x = self.epoch + 1
            every_n = self.history.val_every_n
        values = self.workers.mean(list(self.values.values()))
        for series, value in zip(self.values, values):
            self.queued.append(value)
            point = self.history.record(series, x, value, every_n)
            if point is not None:
                self.board.point(self.history)
                errors.check_finite(series, *point, self.lr)
        self.values = {}
        while len(self.queued) > MAX_QUEUED:
            self.wait_for(self.queued.popleft())
        self.board.step()
