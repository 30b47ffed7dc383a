"""Training in PyTorch: what a classifier computes, and a trainer's steps.

The loop around the steps is that of all frameworks, `d2l_vgg.training.loop`.
"""

from __future__ import annotations

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
from d2l_vgg.torch.parameters import ModelArrays, TrainerArrays, floats
from d2l_vgg.torch.workers import ProcessGroup
from d2l_vgg.training import (
    allocator,
    classifier,
    errors,
    loop,
    memory,
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

    compiled = None  # `scores`, on a GPU
    graph_shape = None  # Of the images that it is compiled for

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
                # The graph writes its next scores over these
                return self.compiled(X).clone()
        return self.scores(X)

    def scores(self, X):
        """Return what `net` gives.

        PyTorch compiles functions of others, but none of its own layers
        alone, such as `net`.
        """
        return self.net(X)

    def loss(self, Y_hat, y, averaged=True):
        """Return the cross-entropy, or that of each example."""
        Y_hat = Y_hat.reshape(-1, Y_hat.shape[-1])
        reduction = 'mean' if averaged else 'none'
        return F.cross_entropy(
            Y_hat, y.reshape(-1).long(), reduction=reduction
        )

    def accuracy(self, Y_hat, y, averaged=True):
        """Return the share of right predictions, or 1 and 0 for each."""
        right = Y_hat.reshape(-1, Y_hat.shape[-1]).argmax(1) == y.reshape(-1)
        return right.float().mean() if averaged else right.float()

    def uniform_loss(self, Y_hat: Any) -> Any:
        return -F.log_softmax(Y_hat, dim=-1).mean()

    def mirrored(self, X: Any) -> Any:
        return X.flip(-1)

    def configure_optimizers(self):
        """Return minibatch stochastic gradient descent on all parameters.

        Those that are frozen are none of them.
        """
        return SGD(
            [param for param in self.parameters() if param.requires_grad],
            lr=self.lr,
            momentum=self.trainer_option('momentum'),
            weight_decay=self.trainer_option('weight_decay'),
        )

    def apply_init(self, inputs, init=None):
        """Draw the parameters by a forward pass, and have `init` change them.

        Args:
            inputs: of the forward pass, such as the images of a minibatch
            init: is called with each layer of `net`, as `d2l.init_cnn`
        """
        self(*inputs)
        if init is not None:
            self.net.apply(init)

    def compile(self) -> None:
        """Let images lie channels last and, on a GPU, train by graphs.

        On a CPU, a graph is no faster. Does nothing before the parameters
        are drawn.
        """
        if any(map(is_lazy, self.parameters())):
            return
        self.to(memory_format=torch.channels_last)
        if self.device.type == 'cuda' and hasattr(self, 'net'):
            self.compiled, self.graph_shape = gpu.compiled(self.scores), None

    def train(self, mode=True):
        """As PyTorch's, but batch normalization that is frozen predicts."""
        super().train(mode)
        for layer in self.modules() if self.frozen else ():
            if isinstance(layer, _BatchNorm):
                layer.eval()
        return self

    def __getstate__(self):
        return {**super().__getstate__(), 'compiled': None}

    def set_precision(self, precision: str) -> None:
        net = getattr(self, 'net', None)
        for blk in precisions.blocks_of(
            net, precision, nn.Sequential, nn.Conv2d
        ):
            blk.__class__ = BLOCKS[precision]

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


class BFloat16Sequential(nn.Sequential):
    """A block that computes in bfloat16, from float32 to float32."""

    def forward(self, X):
        with torch.autocast(X.device.type, torch.bfloat16):
            return super().forward(X).float()


# The class of a block for each precision
BLOCKS = {'float32': nn.Sequential, 'bfloat16': BFloat16Sequential}


class SGD(torch.optim.SGD):
    """Minibatch stochastic gradient descent.

    With `momentum`, a parameter w has a velocity v: v <- momentum v - lr
    (gradient + weight_decay w), and then w <- w + v. PyTorch's own multiplies
    by `lr` only as it adds v to w, so that a new learning rate acts on what
    was learned before, too. Without, both are the same.
    """

    def __init__(self, params, lr, momentum=0, weight_decay=0):
        super().__init__(
            params, lr, momentum=momentum, weight_decay=weight_decay
        )
        for group in self.param_groups if momentum else ():
            for param in group['params']:
                self.state[param]['momentum'] = torch.zeros_like(param)

    @torch.no_grad()
    def step(self, closure=None):
        if not self.state:
            return super().step(closure)
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group in self.param_groups:
            params = [p for p in group['params'] if p.grad is not None]
            velocities = [self.state[p]['momentum'] for p in params]
            grads, lr = [p.grad for p in params], group['lr']
            # Each of these works on all the arrays of a list
            torch._foreach_mul_(velocities, group['momentum'])
            torch._foreach_add_(velocities, grads, alpha=-lr)
            if group['weight_decay']:
                decay = -lr * group['weight_decay']
                torch._foreach_add_(velocities, params, alpha=decay)
            torch._foreach_add_(params, velocities)
        return loss


class Trainer(TrainerArrays, loop.Trainer):
    __doc__ = loop.Trainer.__doc__
    ProcessGroup = ProcessGroup

    def fit(self, model, data, resume=False):
        gpus = [] if self.on_cpu else [self.device]
        # By itself a step would spend a third of its time on new memory
        needed = memory.check_fit(self, model, data)
        with torch.random.fork_rng(gpus), allocator.kept(needed):
            with gpu.autotuned(), gpu.tf32(True):
                return super().fit(model, data, resume)

    fit.__doc__ = loop.Trainer.fit.__doc__

    def train_step(self, batch: tuple, lr: float | None = None) -> dict:
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
        return self.measured()

    @torch.no_grad()
    def validation_step(self, batch: tuple) -> dict:
        self.model.eval()
        self.model.validation_step(self.prepare_batch(batch))
        return self.measured()

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
        """Return the arrays of `batch` on the device."""
        return [array.to(self.device) for array in batch]

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
