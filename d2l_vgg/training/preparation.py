"""A trainer's arguments, its preparation, and its checkpoints.

The loop itself is in `d2l_vgg.training.loop`; the steps, and all that touches
a framework's arrays, are in that framework's `training.py`.
"""

import abc
import dataclasses
import math
import os
import time
import warnings
from typing import Any

from d2l_vgg.networks.architectures import Architecture
from d2l_vgg.training import checkpoint as checkpoints
from d2l_vgg.training import (
    errors,
    estimate,
    experiments,
    labels,
    memory,
    parameters,
    precisions,
    processes,
    progress,
    schedules,
    settings,
    smoke_test,
)
from d2l_vgg.training.arrays import Arrays, save
from d2l_vgg.training.history import History


class Preparation(abc.ABC):
    """Train a model with minibatch stochastic gradient descent.

    Args:
        max_epochs: passes over the training set
        num_gpus: as in the book, 1 means the CPU where there is no GPU
        gradient_clip_val: largest norm of the gradient, 0 for no limit
        seed: makes the run repeat bit for bit on the same CPU. None draws
            another one at each `fit`, which `trainer.seed` then tells. To
            train epoch by epoch, take None, or `Trainer(1, seed=epoch)`.
            Parameters that were drawn before `fit` stay as they are.
        lr_schedule: 'constant', 'cosine' or 'one_cycle', see
            `d2l_vgg.training.schedules`
        momentum, weight_decay: of gradient descent
        label_smoothing: probability that is taken from the true class and
            spread over all; the book trains with none of these three
        test_flip: judge an image together with its mirror image
        precision: 'bfloat16' computes in that type in all blocks but the
            first, in TensorFlow in most layers; parameters stay float32
        checkpoint: file to save the run to, None for none
        checkpoint_seconds: how much work may be lost to a power cut
        display: 'bar', 'board', 'lines', 'none', or 'auto' to choose

    Raises:
        ValueError: a number is out of its range, there are fewer GPUs than
            asked for, or the device cannot compute in `precision`.
    """

    # A framework's name in `frameworks.FRAMEWORKS`, and how its processes add
    # their arrays, None where it has but one
    framework: str
    ProcessGroup: type[processes.ProcessGroup] | None = None

    # Where the run is, which `fit` sets
    epoch: int
    train_batch_idx: int
    val_batch_idx: int
    started: float
    saved: float

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
            if name in experiments.LIMITS and (name, value) != ('seed', None):
                # NumPy's numbers become Python's, which JSON can write
                setattr(self, name, experiments.check(name, value))
        if not isinstance(checkpoint, (str, os.PathLike, type(None))):
            raise ValueError(
                f'checkpoint is {checkpoint!r}: it must be a path, or None.'
            )
        self.schedule = schedules.SCHEDULES[lr_schedule]
        settings.check(self)
        # Engines are told of the others before they look for devices
        self.workers: Any = processes.join(self.ProcessGroup)
        self.device = self.find_device(self.num_gpus)
        reason = self.unsupported_reason(precision)
        if reason:
            raise ValueError(
                f"precision is {precision!r}, which {reason}: use 'float32'."
            )
        self.board = progress.make(display)
        self.history = History(None, None)
        self.seconds = 0.0
        self.smoke_test = smoke_test.size()
        # What else must be the same in a run and in its continuation
        self.told: dict = {}
        self.metrics: dict = {}

    # ------------------------------------- what a framework fills in

    @property
    @abc.abstractmethod
    def on_cpu(self) -> bool:
        """Whether `device` is the processor."""

    @abc.abstractmethod
    def find_device(self, num_gpus: int) -> Any:
        """Return the device that `num_gpus` stands for; 1 may be the CPU."""

    @abc.abstractmethod
    def seed_device(self, seed: int) -> None:
        """Seed the generator that draws parameters and dropout masks."""

    @abc.abstractmethod
    def prepare_model(self, model: Any) -> int:
        """Make `model` ready for its steps, and `self.optim` for it.

        In this order: its precision, the device, a forward pass of one image
        in predict mode, which draws parameters, `compile`, the optimizer, and
        `errors.check_supported`. Returns how many scores it gives an example.
        Raises ValueError where the model cannot follow a hyperparameter.
        """

    @abc.abstractmethod
    def forward(self, batch: tuple) -> Any:
        """Predict the scores of a minibatch, (batch_size, num_classes)."""

    @abc.abstractmethod
    def labels(self, batch: tuple) -> Any:
        """Return the labels of a minibatch, None if the device has them."""

    @abc.abstractmethod
    def arrays(self) -> Arrays:
        """Return name -> NumPy array of all that training changes.

        Those of the optimizer are named by `optimizer_name`.
        """

    @abc.abstractmethod
    def load_arrays(self, arrays: Arrays) -> None:
        """Take up what `arrays` returned after `train_batch_idx` steps."""

    def capability(self) -> tuple:
        """Return the compute capability of the GPU, such as (8, 6)."""
        return (0, 0)

    def no_gain(self, precision: str) -> str:
        """Return why this type is of no use on `device`, '' if it is."""
        return self.unsupported_reason(precision)

    def make_optimizer_state(self) -> None:  # noqa: B027
        """Let the optimizer have all that it keeps, without a step."""

    def threads(self) -> object:
        """Return how many threads compute, on which the last bits depend."""
        return os.environ.get('OMP_NUM_THREADS')

    # --------------------------------------- before the first step

    def unsupported_reason(self, precision: str) -> str:
        """Return why `device` cannot compute in this type, '' if it can."""
        if precision == 'float32':  # No device has to be asked for it
            return ''
        if not self.on_cpu:
            return precisions.gpu_lacks(precision, self.capability())
        if precisions.has_bfloat16():
            return ''
        return 'takes a processor with avx512_bf16, and this one has none'

    def check_arguments(self, model: Any, data: Any, resume: bool) -> None:
        """Refuse what cannot be trained, and take the seed of the run."""
        if resume and self.checkpoint is None:
            raise ValueError(
                'resume is True, but this trainer has no checkpoint to go on '
                'from: name its file, Trainer(..., checkpoint=path).'
            )
        settings.check(self)
        errors.check_model(model)
        if self.draws_seed and resume:
            self.seed = checkpoints.load_seed(self.checkpoint)
        elif self.draws_seed:
            self.seed = int.from_bytes(os.urandom(4), 'big')
        if hasattr(model, 'lr'):  # Else `prepare_model` tells what it lacks
            self.lr = experiments.check('lr', model.lr)
        self.needed_memory = memory.check_fit(self, model, data)

    def prepare(self, model: Any, data: Any) -> None:
        """Bring data and model to the device; a smoke test takes less."""
        self.data = data
        data.trainer = self  # It holds its images where they are used
        self.train_dataloader = data.train_dataloader()
        self.val_dataloader = data.val_dataloader()
        self.num_train_batches = len(self.train_dataloader)
        self.num_val_batches = len(self.val_dataloader or ())
        if not self.num_train_batches:
            raise ValueError(
                'There are no training examples: train_dataloader is empty.'
            )
        self.board.note = smoke_test.note(self.smoke_test)
        if self.smoke_test:
            smoke_test.shorten(self, self.smoke_test)
        model.trainer = self
        self.model = model
        self.seed_device(self.seed)
        self.num_classes = self.prepare_model(model)
        labels.check_sets(self)

    def estimate(self, model: Any, data: Any) -> str:
        """Return in words how long `fit` would take, from a minibatch."""
        max_epochs = self.max_epochs  # Which a smoke test cuts short
        self.check_arguments(model, data, resume=False)
        self.prepare(model, data)
        train, val = data.train_dataloader(), data.val_dataloader() or ()
        seconds = estimate.epoch_seconds(self, len(train), len(val))
        return estimate.format_seconds(max_epochs * seconds)

    def start_board(self) -> None:
        if self.board.note:
            self.board.tell(self.board.note)
        per_epoch = self.num_train_batches + self.num_val_batches
        self.board.start(
            self.max_epochs * per_epoch,
            self.train_batch_idx + self.epoch * self.num_val_batches,
            self.max_epochs,
            getattr(self.data, 'batch_size', None),
        )
        if self.on_cpu and isinstance(self.board, progress.Board):
            batches = self.num_train_batches, self.num_val_batches
            seconds = estimate.epoch_seconds(self, *batches)
            self.board.expect(seconds * (self.max_epochs - self.epoch))

    # ------------------------------------ saving, and going on from that

    def save_if_due(self, now: bool = False) -> None:
        """Write the run to `checkpoint`, `now` or if the last is long ago."""
        due = time.monotonic() - self.saved > self.checkpoint_seconds
        if self.checkpoint is None or not (now or due):
            return
        meta = {
            'settings': self.settings(),
            'threads': self.threads(),
            'epoch': self.epoch,
            'train_batch_idx': self.train_batch_idx,
            'history': self.history.state(),
            'seconds': time.monotonic() - self.started,
        }
        save(self.checkpoint, self.finite_arrays(), meta)
        self.saved = time.monotonic()

    def finite_arrays(self) -> Arrays:
        """Return `arrays`; TrainingDiverged where one is not finite."""
        arrays = self.arrays()
        name = parameters.find_impossible(arrays)
        if name:
            x = self.train_batch_idx / self.num_train_batches
            raise errors.TrainingDiverged(name, x, math.nan, self.lr)
        return arrays

    def load_checkpoint(self) -> None:
        """Return to where the run was when `checkpoint` was written."""
        arrays, meta = checkpoints.load(self.checkpoint)
        checkpoints.check_meta(self.checkpoint, meta, self.settings())
        self.make_optimizer_state()
        checkpoints.check_arrays(self.checkpoint, arrays, self.arrays())
        if meta['threads'] != self.threads():
            warnings.warn(
                f'The number of threads was {meta["threads"]} and is now '
                f'{self.threads()}: the last bits may differ by that.',
                stacklevel=3,
            )
        self.epoch = meta['epoch']
        self.train_batch_idx = meta['train_batch_idx']
        self.val_batch_idx = self.epoch * self.num_val_batches
        self.history = History.from_state(meta['history'])
        self.seconds = meta['seconds']
        self.load_arrays(arrays)

    def settings(self) -> dict[str, Any]:
        """Return what must be the same in a run and in its continuation."""
        mine = [name for name in vars(self) if name in experiments.FIELDS]
        found = {name: getattr(self, name) for name in mine}
        found['framework'] = self.framework
        arch = getattr(self.model, 'arch', None)
        if isinstance(arch, Architecture):
            layers = dataclasses.asdict(arch)
            del layers['name'], layers['letter']  # They change no layer
            found |= layers
        found.update(self.told)
        for name in 'batch_size', 'resize', 'flip', 'shift', 'digest':
            found[name] = getattr(self.data, name, None)
        # Last, as it is by one of those above if these differ
        for name in 'num_train_batches', 'num_val_batches':
            found[name] = getattr(self, name)
        return found
