"""Training in PyTorch: the classifier, gradient descent, and the steps.

The loop around the steps is that of all frameworks, `d2l_vgg.training.loop`,
and `Trainer(...)` takes the arguments of `d2l_vgg.training.preparation`.
Methods without a docstring are described in the base classes.
"""

from __future__ import annotations

import inspect
import itertools
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parameter import is_lazy

from d2l_vgg.datasets.minibatches import Minibatches
from d2l_vgg.networks import summaries
from d2l_vgg.torch import gpu
from d2l_vgg.torch.layers import BLOCKS
from d2l_vgg.torch.parameters import ModelArrays, TrainerArrays, floats
from d2l_vgg.torch.workers import ProcessGroup
from d2l_vgg.training import (
    allocator,
    classifier,
    errors,
    loop,
    precisions,
    seeds,
    workers,
)
from d2l_vgg.training.module import Module


class Classifier(ModelArrays, classifier.Classifier, Module, nn.Module):
    """The base class of classification models.

    A subclass sets `net`, `lr` and, for the names of its parameters, `arch`.
    Its constructor takes `plot_train_per_epoch` and `plot_valid_per_epoch`,
    the points of its curves in an epoch, as the book's does.
    """

    compiled = None  # The compiled version of `scores`, on a GPU
    graph_shape = None  # The shape of images for which it was compiled

    def forward(self, X):
        """Return the class scores, of shape (batch_size, num_classes).

        Raises:
            inputs.WrongInput: `X` does not fit the network.
        """
        self.check_input(X)
        if X.dim() == 4:
            X = X.to(memory_format=torch.channels_last)
        if self.compiled is not None and self.training:
            self.graph_shape = self.graph_shape or X.shape
            # A smaller last minibatch is not worth a graph of its own
            if X.shape == self.graph_shape:
                # The graph writes its next scores to the same memory
                return self.compiled(X).clone()
        return self.scores(X)

    def scores(self, X):
        """Return what `net` computes, as a function that can be compiled.

        `torch.compile` leaves out what is a layer of PyTorch's own, as `net`.
        """
        return self.net(X)

    def loss(self, Y_hat, y, averaged=True):
        Y_hat = Y_hat.reshape(-1, Y_hat.shape[-1])
        reduction = 'mean' if averaged else 'none'
        return F.cross_entropy(
            Y_hat, y.reshape(-1).long(), reduction=reduction
        )

    def accuracy(self, Y_hat, y, averaged=True):
        right = Y_hat.reshape(-1, Y_hat.shape[-1]).argmax(1) == y.reshape(-1)
        return right.float().mean() if averaged else right.float()

    def uniform_loss(self, Y_hat: Any) -> Any:
        return -F.log_softmax(Y_hat, dim=-1).mean()

    def mirrored(self, X: Any) -> Any:
        return X.flip(-1)

    def configure_optimizers(self):
        """Return SGD on all parameters that are trained."""
        return SGD(
            [param for param in self.parameters() if param.requires_grad],
            lr=self.lr,
            momentum=self.trainer_option('momentum'),
            weight_decay=self.trainer_option('weight_decay'),
        )

    def apply_init(self, inputs, init=None):
        """Initialize by a forward pass, then let `init` change each layer.

        Args:
            inputs: of the forward pass, such as the images of a minibatch
            init: is called with each layer of `net`, as `d2l.init_cnn`
        """
        self(*inputs)
        if init is not None:
            self.net.apply(init)

    def compile(self) -> None:
        """Lay out images channels last and, on a GPU, compile `scores`.

        On a CPU, a graph is no faster. Does nothing before the parameters
        are drawn.
        """
        if any(map(is_lazy, self.parameters())):
            return
        self.to(memory_format=torch.channels_last)
        if self.device.type == 'cuda' and hasattr(self, 'net'):
            self.compiled, self.graph_shape = gpu.compiled(self.scores), None

    def train(self, mode=True):
        """As PyTorch's; frozen batch normalization stays in eval mode."""
        super().train(mode)
        if self.frozen:
            for layer in self.modules():
                if isinstance(layer, _BatchNorm):
                    layer.eval()
        return self

    def set_precision(self, precision: str) -> None:
        net = getattr(self, 'net', None)
        for blk, followed in precisions.blocks_of(
            net, precision, nn.Sequential, nn.Conv2d
        ):
            # Its layers and their names stay; only `forward` is another
            blk.__class__, blk.followed = BLOCKS[precision], followed

    @property
    def device(self):
        """Where the parameters are; the CPU if there are none."""
        return next(
            (p.device for p in self.parameters()), torch.device('cpu')
        )

    @torch.no_grad()
    def rows(self, X_shape: tuple) -> list[summaries.Row]:
        X, training = torch.zeros(X_shape, device=self.device), self.training
        self.eval()
        self(X)  # Draws the parameters, and tells what does not fit
        found = summaries.rows(
            self.net,
            X,
            nn.Sequential,
            lambda layer: [tuple(p.shape) for p in layer.parameters()],
        )
        self.train(training)
        return found

    @torch.no_grad()
    def scored(self, batch: tuple, test_flip: bool) -> tuple:
        X, y = batch
        self.eval()
        Y_hat = self.test_scores(X.to(self.device), flip=test_flip)
        return y.cpu().numpy(), F.softmax(Y_hat, dim=-1).cpu().numpy()


class SGD(torch.optim.SGD):
    """Minibatch stochastic gradient descent, with lr in the velocity.

    v <- momentum v - lr (gradient + weight_decay w), w <- w + v, as in MXNet.
    PyTorch's own adds lr v, so that a schedule's new lr rescales all
    gradients before it, too. Without momentum both are the same.
    """

    # As PyTorch wraps them, they import its compiler at their first call
    add_param_group = inspect.unwrap(torch.optim.SGD.add_param_group)
    zero_grad = inspect.unwrap(torch.optim.SGD.zero_grad)

    def __init__(self, params, lr, momentum=0, weight_decay=0):
        super().__init__(
            params, lr, momentum=momentum, weight_decay=weight_decay
        )
        params = [p for group in self.param_groups for p in group['params']]
        for param in params if momentum else ():
            self.state[param]['momentum'] = torch.zeros_like(param)

    @torch.no_grad()
    def step(self, closure=None):
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group in self.param_groups:
            params = [p for p in group['params'] if p.grad is not None]
            grads, lr = [p.grad for p in params], group['lr']
            decay = group['weight_decay']
            # Each of these works on all the arrays of a list
            if not group['momentum']:
                if decay:
                    grads = torch._foreach_add(grads, params, alpha=decay)
                torch._foreach_add_(params, grads, alpha=-lr)
                continue
            velocities = [self.state[p]['momentum'] for p in params]
            torch._foreach_mul_(velocities, group['momentum'])
            torch._foreach_add_(velocities, grads, alpha=-lr)
            if decay:
                torch._foreach_add_(velocities, params, alpha=-lr * decay)
            torch._foreach_add_(params, velocities)
        return loss


class Trainer(TrainerArrays, loop.Trainer):
    __doc__ = loop.Trainer.__doc__
    framework = 'torch'
    ProcessGroup = ProcessGroup

    def fit(self, model, data, resume=False):
        gpus = [] if self.on_cpu else [self.device]
        with torch.random.fork_rng(gpus), torch.inference_mode(False):
            with gpu.autotuned(), gpu.tf32(True):
                return super().fit(model, data, resume)

    fit.__doc__ = loop.Trainer.fit.__doc__

    def fit_epoch(self):
        with allocator.kept(self.needed_memory):
            super().fit_epoch()

    def train_step(self, batch: tuple, lr: float | None = None) -> dict:
        if lr is not None:  # The schedule's
            for group in self.groups():
                group['lr'] = lr
        self.model.train()
        loss = self.model.training_step(self.prepare_batch(batch))
        self.optim.zero_grad()
        # As in the book: an optimizer from scratch changes arrays in place
        with torch.no_grad():
            # Where there is a loss for each example, of their sum; to look
            # at a given one, PyTorch imports a library for algebra
            loss.backward(torch.ones_like(loss) if loss.dim() else None)
            if self.workers.count > 1:
                self.average()
            self.clip_gradients(self.gradient_clip_val, self.model)
            self.optim.step()
        return self.take_metrics()

    @torch.no_grad()
    def validation_step(self, batch: tuple) -> dict:
        self.model.eval()
        self.model.validation_step(self.prepare_batch(batch))
        return self.take_metrics()

    def clip_gradients(self, grad_clip_val, model):
        """Scale the gradient down to the norm `grad_clip_val`, if longer.

        Unlike d2l's, it compares on the device, which need not be waited for.
        """
        if grad_clip_val <= 0:
            return
        grads = [p.grad for p in model.parameters() if p.grad is not None]
        norms = [torch.linalg.vector_norm(grad) for grad in grads]
        norm = torch.linalg.vector_norm(torch.stack(norms))
        scale = (grad_clip_val / norm).clamp(max=1)
        for grad in grads:
            grad *= scale

    def average(self):
        """Take the mean of all workers' gradients and running statistics."""
        params = self.model.parameters()
        shared = [p.grad for p in params if p.grad is not None]
        shared += floats(dict(self.model.named_buffers())).values()
        for array, mean in zip(shared, self.workers.mean(shared)):
            array.copy_(mean)

    @torch.no_grad()
    def forward(self, batch: tuple) -> Any:
        self.model.eval()
        return self.model(*self.prepare_batch(batch)[:-1])

    def prepare_batch(self, batch):
        """Return the arrays of `batch`, moved to the device."""
        return [array.to(self.device) for array in batch]

    def prepare_model(self, model: Any) -> int:
        if isinstance(model, Classifier):
            model.set_precision(self.precision)
        else:
            errors.check_asks_nothing(self, model)
        model.to(self.device)
        # One image is enough for lazy layers to draw their parameters
        for batch in itertools.islice(self.train_dataloader, 1):
            Y_hat = self.forward(tuple(a[:1] for a in batch))
        if isinstance(model, Classifier):
            model.compile()
        self.optim = model.configure_optimizers()
        # Whether it takes what this trainer asks for, as a reader's may not
        supported = {
            name: {group.get(name, 0) for group in self.groups()}
            == {getattr(self, name)}
            for name in ('momentum', 'weight_decay')
        }
        supported['lr_schedule'] = bool(self.groups())
        errors.check_supported(self, supported)
        return Y_hat.shape[-1]

    def minibatches(self, dataloader, first=0):
        """Iterate over this epoch, as in every framework.

        PyTorch's own loaders draw from its generator. Its state after each
        minibatch is given back for the next one, so that the dropout of the
        steps in between changes nothing.
        """
        batches = super().minibatches(dataloader, first)
        if isinstance(dataloader, Minibatches):
            yield from batches
            return
        torch.manual_seed(seeds.mix(self.seed, self.epoch))
        state = torch.get_rng_state()
        while True:
            torch.set_rng_state(state)
            batch = next(batches, None)
            if batch is None:
                return
            state = torch.get_rng_state()
            yield batch

    def find_device(self, num_gpus: int) -> Any:
        found = torch.cuda.device_count()
        errors.check_num_gpus(num_gpus, found, 'PyTorch')
        if not (num_gpus and found):
            return torch.device('cpu')
        index = torch.cuda.current_device() if workers.count() > 1 else 0
        return torch.device('cuda', index)

    @property
    def on_cpu(self) -> bool:
        return self.device.type == 'cpu'

    def capability(self) -> tuple:
        return torch.cuda.get_device_capability(self.device)

    def threads(self):
        return torch.get_num_threads()

    def seed_device(self, seed: int) -> None:
        torch.manual_seed(seed)

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
            # For this value only, not for later work on the GPU
            getattr(value, 'computed', torch.cuda).synchronize()
