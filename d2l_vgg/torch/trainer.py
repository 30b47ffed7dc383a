"""The steps of the training loop in PyTorch; the loop is everyone's."""

from __future__ import annotations

import itertools
from typing import Any

import torch

from d2l_vgg.datasets.minibatches import Minibatches
from d2l_vgg.torch import gpu
from d2l_vgg.torch.classifier import (
    Classifier,
    floats,
    named_tensors,
    to_numpy,
)
from d2l_vgg.torch.workers import Team
from d2l_vgg.training import (
    allocator,
    errors,
    memory,
    seeds,
    trainer,
    workers,
)
from d2l_vgg.training.arrays import Arrays
from d2l_vgg.training.checkpoint import optimizer_name


class Trainer(trainer.Trainer):
    __doc__ = trainer.Trainer.__doc__
    Team = Team

    def fit(self, model, data, resume=False):
        gpus = [] if self.on_cpu else [self.device]
        # By itself a step would spend a third of its time on new memory
        needed = memory.bytes_of_fit(self, model, data)
        with torch.random.fork_rng(gpus), allocator.kept(needed):
            with gpu.autotuned(), gpu.tf32(True):
                return super().fit(model, data, resume)

    fit.__doc__ = trainer.Trainer.fit.__doc__

    def find_device(self, num_gpus: int) -> Any:
        found = torch.cuda.device_count()
        errors.check_num_gpus(num_gpus, found, 'PyTorch')
        if not (num_gpus and found):
            return torch.device('cpu')
        alone = workers.count() == 1
        return torch.device(
            'cuda', 0 if alone else torch.cuda.current_device()
        )

    @property
    def on_cpu(self) -> bool:
        return self.device.type == 'cpu'

    def capability(self) -> tuple:
        return torch.cuda.get_device_capability(self.device)

    def threads(self):
        return torch.get_num_threads()

    def seed_device(self, seed: int) -> None:
        torch.manual_seed(seed)

    def prepare_model(self, model: Any) -> int:
        if isinstance(model, Classifier):
            model.set_precision(self.precision)
        else:
            errors.check_asks_nothing(self, model)
        model.to(self.device)
        # Lazy layers draw parameters when they first see their input
        for batch in itertools.islice(self.train_dataloader, 1):
            Y_hat = self.forward(tuple(a[:1] for a in batch))
        if isinstance(model, Classifier):
            model.compile()
        self.optim = model.configure_optimizers()
        heeded = {
            name: {group.get(name, 0) for group in self.groups()}
            == {getattr(self, name)}
            for name in ('momentum', 'weight_decay')
        }
        heeded['lr_schedule'] = bool(self.groups())
        errors.check_heeded(self, heeded)
        return Y_hat.shape[-1]

    def groups(self):
        """Return the groups of the optimizer, none of one from scratch."""
        return getattr(self.optim, 'param_groups', [])

    def minibatches(self, dataloader, first=0):
        """Iterate over this epoch, as in every framework.

        A loader of PyTorch's own draws from its generator, too, of which it
        finds here what it would find without the steps in between.
        """
        own = super().minibatches(dataloader, first)
        if isinstance(dataloader, Minibatches):
            return own
        return self.drawn_apart(own)

    def drawn_apart(self, batches):
        torch.manual_seed(seeds.mix(self.seed, self.epoch))
        state = torch.get_rng_state()
        while True:
            torch.set_rng_state(state)
            batch = next(batches, None)
            if batch is None:
                return
            state = torch.get_rng_state()
            yield batch

    def prepare_batch(self, batch):
        """Return the arrays of `batch` on the device."""
        return [array.to(self.device) for array in batch]

    def train_step(self, batch: tuple, lr: float | None = None) -> None:
        self.model.train()
        loss = self.model.training_step(self.prepare_batch(batch))
        self.optim.zero_grad()
        with torch.no_grad():  # An optimizer from scratch relies on it
            # Of a loss that is no mean, the gradient of the sum
            loss.backward(torch.ones_like(loss))
            if self.workers.count > 1:
                self.average()
            for group in self.groups() if lr is not None else ():
                group['lr'] = lr
            self.clip_gradients(self.gradient_clip_val, self.model)
            self.optim.step()

    def average(self):
        """Take the mean of all workers' gradients and running statistics."""
        params = self.model.parameters()
        shared = [p.grad for p in params if p.grad is not None]
        shared += floats(dict(self.model.named_buffers())).values()
        for array, mean in zip(shared, self.workers.mean(shared)):
            array.copy_(mean)

    def clip_gradients(self, grad_clip_val, model):
        """Scale the gradient down to the norm `grad_clip_val`, if longer.

        Unlike d2l's, this does not wait for the norm to be known.
        """
        if grad_clip_val <= 0:
            return
        grads = [p.grad for p in model.parameters() if p.grad is not None]
        norms = [torch.linalg.vector_norm(grad) for grad in grads]
        norm = torch.linalg.vector_norm(torch.stack(norms))
        scale = (grad_clip_val / norm).clamp(max=1)
        for grad in grads:
            grad *= scale

    @torch.no_grad()
    def validation_step(self, batch: tuple) -> None:
        self.model.eval()
        self.model.validation_step(self.prepare_batch(batch))

    @torch.no_grad()
    def forward(self, batch: tuple) -> Any:
        self.model.eval()
        return self.model(*self.prepare_batch(batch)[:-1])

    def labels(self, batch: tuple) -> Any:
        return None if batch[-1].is_cuda else batch[-1].numpy()

    def detach(self, value: Any) -> Any:
        value = value.detach()
        if value.is_cuda:
            value.computed = torch.cuda.Event()
            value.computed.record()
        return value

    def wait_for(self, value: Any) -> None:
        if value.is_cuda:
            # Not for what stands in the queue behind it
            getattr(value, 'computed', torch.cuda).synchronize()

    def make_optimizer_state(self):
        if self.groups() and not self.optim.state:
            take_no_step(self.optim)

    def arrays(self) -> Arrays:
        tensors = {**self.tensors_by_name(), **self.optimizer_slots()}
        return {name: to_numpy(t) for name, t in tensors.items()}

    @torch.no_grad()
    def load_arrays(self, arrays: Arrays) -> None:
        tensors = {**self.tensors_by_name(), **self.optimizer_slots()}
        for name, tensor in tensors.items():
            tensor.copy_(torch.from_numpy(arrays[name]))

    def tensors_by_name(self):
        """Return name -> tensor of all of the model that training changes.

        Parameters that only the optimizer knows are from scratch.
        """
        tensors = named_tensors(self.model)
        known = {id(tensor) for tensor in tensors.values()}
        params = [p for group in self.groups() for p in group['params']]
        params = params or getattr(self.optim, 'params', [])
        others = [p for p in params if id(p) not in known]
        for i, param in enumerate(others):
            tensors[f'parameter{i}'] = param
        return tensors

    def optimizer_slots(self):
        """Return name -> tensor of what the optimizer keeps."""
        if not self.groups():
            return {}
        return {
            optimizer_name(name, slot): value
            for name, param in self.tensors_by_name().items()
            for slot, value in self.optim.state.get(param, {}).items()
            if torch.is_tensor(value)
        }


def take_no_step(optim):
    """Let an optimizer of PyTorch make its state, which its first step does.

    The parameters stay as they are.
    """
    rates = [group['lr'] for group in optim.param_groups]
    for group in optim.param_groups:
        group['lr'] = 0.0
        for param in group['params']:
            param.grad = torch.zeros_like(param)
    optim.step()
    optim.zero_grad()
    for group, lr in zip(optim.param_groups, rates):
        group['lr'] = lr
