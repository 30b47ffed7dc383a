"""A trainer with d2l's interface that keeps the device busy and loses no run.

The loop is the book's. Around it stand what a long run needs: a seed that
repeats it, checkpoints that continue it, and a history that is returned.
"""

import collections
import itertools
import math
import os
import random
import tempfile
import time

import mxnet as mx
import numpy as onp
from d2l import mxnet as d2l
from mxnet import autograd, gluon, np

from d2l_vgg.datasets import stand_in
from d2l_vgg.mxnet.classifier import Classifier
from d2l_vgg.training import checkpoint as checkpoints
from d2l_vgg.training import (
    interrupts,
    precisions,
    progress,
    schedules,
    trial,
)
from d2l_vgg.training.errors import TrainingDiverged
from d2l_vgg.training.history import History

# The entry of a checkpoint that holds the state of the optimizer
OPTIMIZER = 'optimizer'
# How many minibatches may wait in the device's queue: one keeps it busy; with
# more, their preparation disturbs the computation on a CPU (BENCHMARKS.md)
MAX_QUEUED = 1


class Trainer(d2l.Trainer):
    """Train a model with minibatch stochastic gradient descent.

    Args:
        max_epochs: passes over the training set
        num_gpus: how many GPUs share each minibatch. As in the book, 1 means
            the CPU where there is no GPU.
        gradient_clip_val: largest norm of the gradient, 0 for no limit
        seed: makes the run repeat bit for bit on the same CPU. None draws
            one, which `trainer.seed` tells after `fit`.
        lr_schedule: 'constant', 'cosine' or 'one_cycle', see
            `d2l_vgg.training.schedules`
        checkpoint: file to save the run to, None for none
        checkpoint_seconds: how much work may be lost to a power cut
        display: 'bar', 'board', 'lines', 'none', or 'auto' to choose

    Raises:
        ValueError: a number is out of its range, or there are fewer GPUs
            than asked for.
    """

    def __init__(
        self,
        max_epochs,
        num_gpus=0,
        gradient_clip_val=0,
        seed=None,
        lr_schedule='constant',
        checkpoint=None,
        checkpoint_seconds=60,
        display='auto',
    ):
        self.save_hyperparameters()
        if max_epochs < 1:
            raise ValueError(
                f'max_epochs is {max_epochs}, but it must be at least 1.'
            )
        if gradient_clip_val < 0:
            raise ValueError(
                f'gradient_clip_val is {gradient_clip_val}, but a norm is '
                'not negative: use 0 for no limit.'
            )
        self.schedule = schedules.get(lr_schedule)
        self.devices = find_devices(num_gpus)
        self.board = progress.make(display)
        self.history, self.seconds = None, 0

    def fit(self, model, data, resume=False):
        """Train `model` on `data` and return the `History` of the run.

        With `resume`, continue from the file `checkpoint`; the run then ends
        with the parameters and the history of one that was never stopped.

        Raises:
            TrainingDiverged: the loss is no longer finite. What was recorded
                is in `trainer.history`.
            checkpoint.BadCheckpoint: `checkpoint` is damaged or was made by
                another run.
            KeyboardInterrupt: Ctrl-C or SIGTERM, after saving the run.
            ValueError: `resume` without a `checkpoint`, or a `precision` of
                the model that the device cannot compute in.
        """
        if resume and self.checkpoint is None:
            raise ValueError(
                'resume is True, but this trainer has no checkpoint to go on '
                'from: name its file, Trainer(..., checkpoint=path).'
            )
        on_cpu = self.devices == [d2l.cpu()]
        if isinstance(model, Classifier):
            precisions.check(model.precision, on_cpu)
        self.prepare_data(data)
        self.prepare_model(model)
        self.prepare_optimizer(model)
        self.lr = model.lr
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
        self.saved = time.monotonic()
        self.started = self.saved - self.seconds
        per_epoch = self.num_train_batches + self.num_val_batches
        self.board.start(
            self.max_epochs * per_epoch,
            self.train_batch_idx + self.epoch * self.num_val_batches,
            self.max_epochs,
        )
        if on_cpu and self.board.announces:
            self.board.announce(self.estimate_seconds())
        self.values, self.queued = {}, collections.deque()
        # d2l's steps call `model.plot`, which would wait for every value
        model.plot = self.plot
        try:
            with interrupts.deferred() as self.stop:
                while self.epoch < self.max_epochs:
                    self.fit_epoch()
        finally:
            del model.plot
            self.board.close()
            self.seconds = time.monotonic() - self.started
        return self.history

    def prepare_data(self, data):
        """Take the minibatches: with `$D2L_VGG_TRIAL` only so many, once.

        This setting shows that a long run would start and end well.
        """
        data.trainer = self  # It holds its images where they are used
        is_drawn = getattr(data, 'stand_in', False)
        self.board.note = stand_in.NOTE if is_drawn else None
        super().prepare_data(data)
        trial.shorten(self)

    def prepare_model(self, model):
        """Put `model` on the devices and draw its initial parameters."""
        model.trainer = self
        self.model = model
        if self.seed is None:
            self.seed = int.from_bytes(os.urandom(4), 'big')
        mx.random.seed(self.seed)
        params = model.parameters()
        if isinstance(params, list):
            model.set_scratch_params_device(self.devices[0])
        else:
            for param in params.values():
                if param.list_ctx() != self.devices:
                    param.reset_ctx(self.devices)
        # Gluon draws parameters when it first sees the shape of the input
        for batch in itertools.islice(self.train_dataloader, 1):
            few = [a[: len(self.devices)] for a in batch]
            for shard, _ in self.split(few):
                model(*shard[:-1])

    def prepare_optimizer(self, model):
        """Take the optimizer, with the update left to this trainer.

        On several GPUs Gluon would update as soon as it has summed the
        gradients; here they are clipped in between.
        """
        self.optim = model.configure_optimizers()
        if isinstance(self.optim, gluon.Trainer):
            self.optim._kvstore_params['update_on_kvstore'] = False

    def estimate_seconds(self):
        """Return about how long the rest will take, from a forward pass.

        A training step costs three of them: a gradient with respect to the
        parameters and one with respect to the inputs come on top.
        """
        for batch in itertools.islice(self.train_dataloader, 1):
            ((shard, _),) = self.split(batch)
            for _ in range(2):  # The first one compiles
                started = time.monotonic()
                self.model(*shard[:-1]).wait_to_read()
            forward = time.monotonic() - started
        epochs = self.max_epochs - self.epoch
        tests = 1 + getattr(self.model, 'test_flip', False)
        num_passes = 3 * self.num_train_batches + tests * self.num_val_batches
        return epochs * num_passes * forward

    def fit_epoch(self):
        """Train on each minibatch once, then validate."""
        if self.train_batch_idx < (self.epoch + 1) * self.num_train_batches:
            self.train_epoch()
            self.save_checkpoint()
        if self.val_dataloader is not None:
            for batch in self.val_dataloader:
                for shard, share in self.split(batch):
                    self.share = share
                    self.model.validation_step(shard)
                self.record_values(train=False)
                self.val_batch_idx += 1
                if self.stop.asked:
                    # Saved when its training ended: it validates again
                    raise KeyboardInterrupt
        self.epoch += 1
        self.save_checkpoint()
        self.board.end_epoch(self.epoch, self.history)

    def train_epoch(self):
        """Train on the minibatches of this epoch that are still to do."""
        # The shuffle of each epoch and the dropout of each minibatch have
        # seeds of their own, so a run can go on from any minibatch: MXNet's
        # generator can be seeded but not saved
        onp.random.seed([self.seed, self.epoch])
        random.seed(self.seed + self.epoch)
        done = self.train_batch_idx - self.epoch * self.num_train_batches
        for batch in remaining(self.train_dataloader, done):
            mx.random.seed(seed_from(self.seed, self.train_batch_idx))
            self.train_step(batch)
            self.record_values(train=True)
            self.train_batch_idx += 1
            if self.stop.asked:
                self.save_checkpoint()
                raise KeyboardInterrupt
            if time.monotonic() - self.saved > self.checkpoint_seconds:
                self.save_checkpoint()

    def train_step(self, batch):
        """Compute the gradient on one minibatch and follow it downhill."""
        with autograd.record():
            losses = []
            for shard, share in self.split(batch):
                self.share = share
                losses.append(self.model.training_step(shard) * share)
        autograd.backward(losses)
        if not isinstance(self.optim, gluon.Trainer):  # From scratch
            self.clip_gradients(self.gradient_clip_val, self.model)
            self.optim.step(1)
            return
        if self.lr_schedule != 'constant':  # The model may have one, too
            num_steps = self.max_epochs * self.num_train_batches
            self.optim.set_learning_rate(
                self.lr * self.schedule(self.train_batch_idx / num_steps)
            )
        self.optim.allreduce_grads()
        self.clip_gradients(self.gradient_clip_val, self.model)
        self.optim.update(1)

    def split(self, batch):
        """Return the part of `batch` for each device, and its share of it.

        A device's mean counts in the mean over the minibatch by its share.
        """
        if len(self.devices) == 1:
            return [([a.as_in_ctx(self.devices[0]) for a in batch], 1)]
        arrays = [
            gluon.utils.split_and_load(a, self.devices, even_split=False)
            for a in batch
        ]
        return [
            (shard, len(shard[-1]) / len(batch[-1])) for shard in zip(*arrays)
        ]

    def clip_gradients(self, grad_clip_val, model):
        """Scale the gradient down to the norm `grad_clip_val`, if longer.

        Unlike d2l's, this does not wait for the norm to be known.
        """
        if grad_clip_val <= 0:
            return
        params = model.parameters()
        for device in self.devices:
            if isinstance(params, list):
                grads = [param.grad for param in params]
            else:
                grads = [
                    param.grad(device)
                    for param in params.values()
                    if param.grad_req != 'null'
                ]
            norm = np.sqrt(sum((grad**2).sum() for grad in grads))
            scale = np.minimum(grad_clip_val / norm, 1)
            for grad in grads:
                grad *= scale

    def plot(self, key, value, train):
        """Take a value that a step of the model computes, without reading it.

        Called by d2l's `training_step` and `validation_step`.
        """
        series = ('train_' if train else 'val_') + key
        share = value.detach().as_in_ctx(self.devices[0]) * self.share
        self.values.setdefault(series, []).append(share)

    def record_values(self, train):
        """Add the values of this minibatch to the history, and keep pace."""
        if train:
            x = self.train_batch_idx / self.num_train_batches
            every_n = self.history.train_every_n
        else:
            x = self.epoch + 1
            every_n = self.history.val_every_n
        values, self.values = self.values, {}
        for series, shares in values.items():
            self.queued.append(sum(shares))
            point = self.history.record(series, x, self.queued[-1], every_n)
            if point is not None:
                self.board.point(self.history)
                self.check_finite(series, *point)
        while len(self.queued) > MAX_QUEUED:
            self.queued.popleft().wait_to_read()
        self.board.step()

    def check_finite(self, series, x, value):
        """Stop a run that has gone astray and will not come back."""
        if not math.isfinite(value):
            raise TrainingDiverged(
                f'{series} is {value} at epoch {x:.2f}: lower the learning '
                f'rate (lr={self.lr}) or limit the gradient '
                '(gradient_clip_val=1).'
            )

    def save_checkpoint(self):
        """Write all that the rest of the run depends on to `checkpoint`."""
        if self.checkpoint is None:
            return
        arrays = {
            name: param.data(self.devices[0]).asnumpy()
            for name, param in named_parameters(self.model).items()
        }
        meta = {
            'settings': self.settings(),
            'epoch': self.epoch,
            'train_batch_idx': self.train_batch_idx,
            'history': self.history.state(),
            'seconds': time.monotonic() - self.started,
        }
        with checkpoints.explained(self.checkpoint):
            with tempfile.TemporaryDirectory() as folder:
                states = os.path.join(folder, 'states')
                self.optim.save_states(states)
                arrays[OPTIMIZER] = onp.fromfile(states, dtype='uint8')
            checkpoints.save(self.checkpoint, arrays, meta)
        self.saved = time.monotonic()

    def load_checkpoint(self):
        """Return to where the run was when `checkpoint` was written."""
        arrays, meta = checkpoints.load(self.checkpoint)
        params = named_parameters(self.model)
        states = arrays.pop(OPTIMIZER)
        checkpoints.check_arrays(
            self.checkpoint,
            arrays,
            {name: param.shape for name, param in params.items()},
        )
        checkpoints.check_settings(
            self.checkpoint, meta['settings'], self.settings()
        )
        for name, param in params.items():
            param.set_data(np.array(arrays[name]))
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'states')
            states.tofile(path)
            self.optim.load_states(path)
        self.epoch = meta['epoch']
        self.train_batch_idx = meta['train_batch_idx']
        self.val_batch_idx = self.epoch * self.num_val_batches
        self.history = History.from_state(meta['history'])
        self.seconds = meta['seconds']

    def settings(self):
        """Return what must be the same in a run and in its continuation."""
        return {
            'seed': self.seed,
            'max_epochs': self.max_epochs,
            'num_train_batches': self.num_train_batches,
            'lr': self.lr,
            'lr_schedule': self.lr_schedule,
            'gradient_clip_val': self.gradient_clip_val,
        }


def seed_from(*numbers):
    """Return a seed for MXNet that no neighbouring numbers come near.

    MXNet fills an array from many generators, which it seeds with consecutive
    numbers. With seeds 0, 1, 2, ... nine tenths of the dropout masks of one
    minibatch come again in the next, only shifted.
    """
    return int(onp.random.SeedSequence(numbers).generate_state(1)[0] >> 1)


def remaining(dataloader, done):
    """Iterate over an epoch's minibatches but the first `done`."""
    if hasattr(dataloader, 'start_at'):
        return dataloader.start_at(done)
    return itertools.islice(dataloader, done, None)


def named_parameters(model):
    """Return the parameters of `model` by their place in it."""
    return model._collect_params_with_prefix()


def find_devices(num_gpus):
    """Return the devices that `num_gpus` stands for.

    One GPU that is not there means the CPU, so that the book's cells run
    everywhere.

    Raises:
        ValueError: `num_gpus` is negative, or there are fewer GPUs.
    """
    if num_gpus < 0:
        raise ValueError(f'num_gpus is {num_gpus}, but it must be 0 or more.')
    found = d2l.num_gpus()
    if num_gpus > max(found, 1):
        raise ValueError(
            f'num_gpus is {num_gpus}, but this machine has {found} that '
            'MXNet can use: ask for at most that many, or for 0 to train on '
            'the CPU.'
        )
    if num_gpus == 0 or found == 0:
        return [d2l.cpu()]
    return [d2l.gpu(i) for i in range(num_gpus)]
