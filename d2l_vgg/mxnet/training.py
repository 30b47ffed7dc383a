"""Training in MXNet: what a classifier computes, and a trainer's steps.

Loss and accuracy are d2l's. The loop around the steps is that of all
frameworks, `d2l_vgg.training.loop`, and `Trainer(...)` takes the arguments of
`d2l_vgg.training.preparation`.
"""

from __future__ import annotations

import itertools
from typing import Any

import mxnet as mx
import numpy as onp
from d2l import mxnet as d2l
from mxnet import autograd, gluon, np, npx
from mxnet.gluon import nn

from d2l_vgg import gpus
from d2l_vgg.mxnet.layers import BLOCKS
from d2l_vgg.mxnet.parameters import ModelArrays, TrainerArrays
from d2l_vgg.networks import summaries
from d2l_vgg.training import classifier, errors, loop, precisions
from d2l_vgg.training.inputs import WrongInput

SEQUENTIAL = (nn.HybridSequential, nn.Sequential)


class Classifier(ModelArrays, classifier.Classifier, d2l.Classifier):
    """The base class of classification models.

    A subclass sets `net`, `lr` and, for its summary, `arch`. It trains under
    `d2l_vgg.Trainer` and under the book's own `d2l.Trainer` alike.
    """

    def forward(self, X):
        """Return the class scores, of shape (batch_size, num_classes).

        Raises WrongInput where `X` does not fit the network.
        """
        if not isinstance(X, np.ndarray):
            raise WrongInput(
                f'X is a {type(X).__module__}.{type(X).__name__}, but this '
                'network takes arrays of MXNet: mxnet.np.array(X) makes one.'
            )
        self.check_input(X)
        # As from a DataLoader with worker processes: a graph cannot read it
        if X.ctx.device_type == 'cpu_shared':
            X = X.as_in_ctx(d2l.cpu())
        return self.net(X)

    def uniform_loss(self, Y_hat: Any) -> Any:
        return -npx.log_softmax(Y_hat).mean()

    def mirrored(self, X: Any) -> Any:
        return X[..., ::-1]

    def configure_optimizers(self):
        """Return minibatch stochastic gradient descent on all parameters."""
        if not self.collect_params().keys():  # Written from scratch
            return super().configure_optimizers()
        return gluon.Trainer(
            self.collect_params(),
            'sgd',
            {
                'learning_rate': self.lr,
                'momentum': self.trainer_option('momentum'),
                'wd': self.trainer_option('weight_decay'),
            },
        )

    def compile(self) -> None:
        """Compile `net`: its operations run as one graph, not one by one."""
        if isinstance(getattr(self, 'net', None), nn.HybridBlock):
            # Keep the memory plan, too: every minibatch has one shape
            self.net.hybridize(static_alloc=True, static_shape=True)

    def set_precision(self, precision: str) -> None:
        Conv2D, Block = BLOCKS[precision]
        net = getattr(self, 'net', None)
        for blk, followed in precisions.blocks_of(
            net, precision, SEQUENTIAL, nn.Conv2D
        ):
            blk.__class__, blk.followed = Block, followed
            for layer in blk:
                if isinstance(layer, nn.Conv2D):
                    layer.__class__ = Conv2D

    def rows(self, X_shape: tuple) -> list[summaries.Row]:
        X = np.zeros(X_shape, ctx=device_of(self))
        self(X)  # Draws the parameters, and tells what does not fit
        return summaries.rows(
            self.net,
            X,
            SEQUENTIAL,
            lambda layer: [
                param.shape
                for param in layer.collect_params().values()
                if param._differentiable
            ],
        )

    def scored(self, batch: tuple, test_flip: bool) -> tuple:
        X, y = batch
        Y_hat = self.test_scores(X.as_in_ctx(device_of(self)), flip=test_flip)
        return y.asnumpy(), npx.softmax(Y_hat).asnumpy()


class Trainer(TrainerArrays, loop.Trainer, d2l.Trainer):
    __doc__ = loop.Trainer.__doc__
    framework = 'mxnet'

    def train_step(self, batch: tuple, lr: float | None = None) -> dict:
        with autograd.record():
            loss = self.model.training_step(self.prepare_batch(batch))
        loss.backward()
        self.clip_gradients(self.gradient_clip_val, self.model)
        if lr is not None:  # The schedule's
            self.optim.set_learning_rate(lr)
        if isinstance(self.optim, gluon.Trainer):
            self.optim.update(1)
        else:  # From scratch
            self.optim.step(1)
        return self.take_metrics()

    def validation_step(self, batch: tuple) -> dict:
        self.model.validation_step(self.prepare_batch(batch))
        return self.take_metrics()

    def clip_gradients(self, grad_clip_val: float, model: d2l.Module) -> None:
        """Scale the gradient down to the norm `grad_clip_val`, if longer.

        Unlike d2l's, it compares on the device, which need not be waited for.
        """
        if grad_clip_val <= 0:
            return
        grads = gradients(model)
        norm = np.sqrt(sum((grad**2).sum() for grad in grads))
        scale = np.minimum(grad_clip_val / norm, 1)
        for grad in grads:
            grad *= scale

    def forward(self, batch: tuple) -> np.ndarray:
        return self.model(*self.prepare_batch(batch)[:-1])

    def prepare_batch(self, batch: tuple) -> list[np.ndarray]:
        """Return the arrays of `batch`, moved to the device."""
        return [array.as_in_ctx(self.device) for array in batch]

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
            Y_hat = model(*X)
        if not gradients(model):
            raise ValueError(
                f'All parameters of {type(model).__name__} are frozen: leave '
                'some to be trained.'
            )
        self.optim = model.configure_optimizers()
        optimizer = getattr(self.optim, 'optimizer', self.optim)
        supported = {
            'momentum': getattr(optimizer, 'momentum', 0) == self.momentum,
            'weight_decay': getattr(optimizer, 'wd', 0) == self.weight_decay,
            'lr_schedule': isinstance(self.optim, gluon.Trainer),
        }
        errors.check_supported(self, supported)
        return Y_hat.shape[-1]

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

    def unsupported_reason(self, precision: str) -> str:
        if precision == 'bfloat16' and not self.on_cpu:
            return 'takes a processor with avx512_bf16 in MXNet, not a GPU'
        return super().unsupported_reason(precision)

    def seed_device(self, seed: int) -> None:
        mx.random.seed(seed)

    def labels(self, batch: tuple) -> onp.ndarray | None:
        on_gpu = batch[-1].ctx.device_type == 'gpu'
        return None if on_gpu else batch[-1].asnumpy()

    def detach(self, value: np.ndarray) -> np.ndarray:
        return value.detach()

    def wait_for(self, value: np.ndarray) -> None:
        value.wait_to_read()


def device_of(model: d2l.Module) -> mx.Context:
    """Return where the parameters are; the CPU if there are none."""
    params = model.collect_params().values()
    return next((param.list_ctx()[0] for param in params), d2l.cpu())


def gradients(model: d2l.Module) -> list[np.ndarray]:
    """Return the gradients of the parameters that are trained."""
    params = model.parameters()
    if isinstance(params, list):  # Written from scratch
        return [param.grad for param in params]
    return [p.grad() for p in params.values() if p.grad_req != 'null']
