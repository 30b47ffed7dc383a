"""The steps of the training loop in MXNet; the loop is everyone's."""

from __future__ import annotations

import itertools
from typing import Any

import mxnet as mx
import numpy as onp
from d2l import mxnet as d2l
from mxnet import autograd, gluon, np, npx

from d2l_vgg import gpus
from d2l_vgg.mxnet import inputs
from d2l_vgg.mxnet.classifier import Classifier, named_parameters
from d2l_vgg.mxnet.workers import Team
from d2l_vgg.training import errors, trainer
from d2l_vgg.training.arrays import Arrays
from d2l_vgg.training.checkpoint import optimizer_name

draw_on_board = d2l.Module.plot


@d2l.add_to_class(d2l.Module)
def plot(self, key, value, train):
    """Plot a point, or give it to the trainer of ours that fits the model.

    It is what a class that plots in a way of its own calls by `super()`.
    """
    if getattr(self.trainer, 'takes_plots', False):
        self.trainer.plot(key, value, train)
    else:
        draw_on_board(self, key, value, train)


class Trainer(trainer.Trainer, d2l.Trainer):
    __doc__ = trainer.Trainer.__doc__
    Team = Team

    def find_device(self, num_gpus: int) -> mx.Context:
        found = d2l.num_gpus()
        errors.check_num_gpus(num_gpus, found, 'MXNet')
        return d2l.gpu() if num_gpus and found else d2l.cpu()

    @property
    def on_cpu(self) -> bool:
        return self.device.device_type == 'cpu'

    def capability(self) -> tuple:
        try:
            found = mx.util.get_cuda_compute_capability(self.device)
        except OSError:  # It looks for libcuda.so, without the .1 of drivers
            return gpus.capability()
        return divmod(found, 10)

    def lack_of(self, precision: str) -> str:
        if precision == 'bfloat16' and not self.on_cpu:
            return 'takes a processor with avx512_bf16 in MXNet, not a GPU'
        return super().lack_of(precision)

    def seed_device(self, seed: int) -> None:
        mx.random.seed(seed)

    def prepare_model(self, model: d2l.Module) -> int:
        if isinstance(model, Classifier):
            model.set_precision(self.precision)
            model.compile()
        else:
            errors.check_asks_nothing(self, model)
        params = model.parameters()
        if isinstance(params, list):  # Written from scratch
            model.set_scratch_params_device(self.device)
        else:
            for param in params.values():
                if param.list_ctx() != [self.device]:
                    param.reset_ctx(self.device)
        # Gluon draws parameters when it first sees the shape of the input
        for batch in itertools.islice(self.train_dataloader, 1):
            X = [array[:1] for array in self.prepare_batch(batch)[:-1]]
            with inputs.explained(model, X[0]):
                Y_hat = model(*X)
        check_trainable(model)
        self.optim = model.configure_optimizers()
        optimizer = getattr(self.optim, 'optimizer', self.optim)
        errors.check_heeded(
            self,
            {
                'momentum': getattr(optimizer, 'momentum', 0)
                == self.momentum,
                'weight_decay': getattr(optimizer, 'wd', 0)
                == self.weight_decay,
                'lr_schedule': isinstance(self.optim, gluon.Trainer),
            },
        )
        return Y_hat.shape[-1]

    def prepare_batch(self, batch: tuple) -> list[np.ndarray]:
        """Return the arrays of `batch` on the device."""
        return [array.as_in_ctx(self.device) for array in batch]

    def train_step(self, batch: tuple, lr: float | None = None) -> None:
        with autograd.record():
            loss = self.model.training_step(self.prepare_batch(batch))
        loss.backward()
        if self.workers.count > 1:
            self.average()
        if not isinstance(self.optim, gluon.Trainer):  # From scratch
            self.clip_gradients(self.gradient_clip_val, self.model)
            self.optim.step(1)
            return
        if lr is not None:
            self.optim.set_learning_rate(lr)
        self.clip_gradients(self.gradient_clip_val, self.model)
        self.optim.update(1)

    def average(self) -> None:
        """Take the mean of all workers' gradients and running statistics."""
        shared = gradients(self.model) + statistics(self.model)
        for array, mean in zip(shared, self.workers.mean(shared)):
            array[:] = mean

    def clip_gradients(self, grad_clip_val: float, model: d2l.Module) -> None:
        """Scale the gradient down to the norm `grad_clip_val`, if longer.

        Unlike d2l's, this does not wait for the norm to be known.
        """
        if grad_clip_val <= 0:
            return
        grads = gradients(model)
        norm = np.sqrt(sum((grad**2).sum() for grad in grads))
        scale = np.minimum(grad_clip_val / norm, 1)
        for grad in grads:
            grad *= scale

    def validation_step(self, batch: tuple) -> None:
        self.model.validation_step(self.prepare_batch(batch))

    def forward(self, batch: tuple) -> np.ndarray:
        return self.model(*self.prepare_batch(batch)[:-1])

    def labels(self, batch: tuple) -> onp.ndarray | None:
        on_gpu = batch[-1].ctx.device_type == 'gpu'
        return None if on_gpu else batch[-1].asnumpy()

    def detach(self, value: np.ndarray) -> np.ndarray:
        return value.detach()

    def wait_for(self, value: np.ndarray) -> None:
        value.wait_to_read()

    def arrays(self) -> Arrays:
        npx.waitall()  # As in `Classifier.arrays`
        values = {**self.values_by_name(), **self.optimizer_slots()}
        return {name: value.asnumpy() for name, value in values.items()}

    def load_arrays(self, arrays: Arrays) -> None:
        values = {**self.values_by_name(), **self.optimizer_slots()}
        for name, value in values.items():
            array = np.array(arrays[name], dtype=value.dtype, ctx=value.ctx)
            value.as_np_ndarray()[:] = array
        if isinstance(self.optim, gluon.Trainer):
            optimizer = self.optim._optimizer
            optimizer.num_update = self.train_batch_idx
            for i in range(len(self.optim._params)):
                optimizer._index_update_count[i] = self.train_batch_idx

    def values_by_name(self) -> dict[str, np.ndarray]:
        """Return name -> array on the device of the model's parameters."""
        params = self.model.parameters()
        if isinstance(params, list):  # Written from scratch
            return {f'parameter{i}': p for i, p in enumerate(params)}
        params = named_parameters(self.model)
        return {name: param.data() for name, param in params.items()}

    def optimizer_slots(self) -> dict[str, np.ndarray]:
        """Return name -> array on the device of what the optimizer keeps."""
        if not isinstance(self.optim, gluon.Trainer):
            return {}
        optimizer, (updater,) = self.optim._optimizer, self.optim._updaters
        names = {p: n for n, p in named_parameters(self.model).items()}
        slots = {}
        for i, param in enumerate(self.optim._params):
            if param.grad_req == 'null':
                continue
            if i not in updater.states:  # As it does at its first step
                weight = param.data().as_nd_ndarray()
                updater.states[i] = optimizer.create_state_multi_precision(
                    i, weight
                )
                updater.states_synced[i] = True
            for slot, value in slots_of(updater.states[i]):
                slots[optimizer_name(names[param], slot)] = value
        return slots


def gradients(model: d2l.Module) -> list[np.ndarray]:
    """Return the gradients of the parameters that are trained."""
    params = model.parameters()
    if isinstance(params, list):  # Written from scratch
        return [param.grad for param in params]
    return [p.grad() for p in params.values() if p.grad_req != 'null']


def statistics(model: d2l.Module) -> list[np.ndarray]:
    """Return the running statistics of normalization."""
    params = model.parameters()
    if isinstance(params, list):
        return []
    return [p.data() for n, p in params.items() if 'running_' in n]


def slots_of(state: Any) -> list[tuple[str, np.ndarray]]:
    """Return (slot, array) for each array in the state of an optimizer."""
    if state is None:
        return []
    if not isinstance(state, (list, tuple)):
        return [('momentum', state)]
    pairs = [pair for part in state for pair in slots_of(part)]
    return [(f'state{i}', array) for i, (_, array) in enumerate(pairs)]


def check_trainable(model):
    """Refuse a model of which nothing is left to be trained.

    Raises:
        ValueError: it is.
    """
    params = model.parameters()
    if isinstance(params, list):  # Written from scratch
        return
    if all(param.grad_req == 'null' for param in params.values()):
        raise ValueError(
            f'All parameters of {type(model).__name__} are frozen: leave '
            'some to be trained.'
        )
