"""A classifier in PyTorch: its loss, its steps, its parameters by name.

How it is trained and judged, `Trainer` tells.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parameter import is_lazy

from d2l_vgg.networks import summaries
from d2l_vgg.networks.names import canonical
from d2l_vgg.torch import gpu, summary
from d2l_vgg.torch.sgd import SGD
from d2l_vgg.training import classifier, errors, inputs, parameters
from d2l_vgg.training.arrays import Arrays
from d2l_vgg.training.classifier import last_layer
from d2l_vgg.training.module import Module


class Classifier(classifier.Classifier, Module, nn.Module):
    """The base class of classification models.

    A subclass sets `net`, `lr` and, for the names of its parameters, `arch`.
    Its constructor takes `plot_train_per_epoch` and `plot_valid_per_epoch`,
    the points of its curves in an epoch, as the book's does.
    """

    frozen = False
    compiled = None  # `scores`, on a GPU
    graph_shape = None  # Of the images that it is compiled for

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

    def __getstate__(self):
        return {**super().__getstate__(), 'compiled': None}

    def scores(self, X):
        """Return what `net` gives.

        PyTorch compiles functions of others, but none of its own layers
        alone, such as `net`.
        """
        return self.net(X)

    def apply_init(self, inputs, init=None):
        """Draw the parameters by a forward pass, and have `init` change them.

        Args:
            inputs: of the forward pass, such as the images of a minibatch
            init: is called with each layer of `net`, as `d2l.init_cnn`
        """
        self(*inputs)
        if init is not None:
            self.net.apply(init)

    def forward(self, X):
        """Return the class scores, of shape (batch_size, num_classes).

        Raises:
            inputs.WrongInput: `X` does not fit the network.
        """
        with inputs.explained(self, X):
            if X.dim() == 4:
                X = X.to(memory_format=torch.channels_last)
            if self.compiled is not None and self.training:
                self.graph_shape = self.graph_shape or X.shape
                # A smaller last minibatch is not worth a graph of its own
                if X.shape == self.graph_shape:
                    # The graph writes its next scores over these
                    return self.compiled(X).clone()
            return self.scores(X)

    def loss(self, Y_hat, y, averaged=True):
        """Return the cross-entropy, its mean over the minibatch if asked."""
        Y_hat = Y_hat.reshape(-1, Y_hat.shape[-1])
        reduction = 'mean' if averaged else 'none'
        return F.cross_entropy(
            Y_hat, y.reshape(-1).long(), reduction=reduction
        )

    def accuracy(self, Y_hat, y, averaged=True):
        """Return the share of right predictions, or which ones are right."""
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
            momentum=self.asked('momentum'),
            weight_decay=self.asked('weight_decay'),
        )

    def set_precision(self, precision: str) -> None:
        net = getattr(self, 'net', None)
        blocks = [
            blk
            for blk in list(net if isinstance(net, nn.Sequential) else ())[1:]
            if isinstance(blk, nn.Sequential)
            and any(isinstance(layer, nn.Conv2d) for layer in blk)
        ]
        errors.check_blocks(precision, blocks)
        for blk in blocks:
            blk.__class__ = BLOCKS[precision]

    def rows(self, X_shape: tuple) -> list[summaries.Row]:
        return summary.rows(self, torch.zeros(X_shape, device=self.device))

    @property
    def device(self):
        """Where the parameters are; the CPU if there are none."""
        return next(
            (p.device for p in self.parameters()), torch.device('cpu')
        )

    @torch.no_grad()
    def scored(self, batch: tuple, test_flip: bool) -> tuple:
        X, y = batch
        self.eval()
        Y_hat = self.test_scores(X.to(self.device), flip=test_flip)
        return y.cpu().numpy(), F.softmax(Y_hat, dim=-1).cpu().numpy()

    def arrays(self) -> Arrays:
        tensors = floats(named_tensors(self))
        if any(map(is_lazy, tensors.values())):
            raise errors.NotDrawn
        return {name: to_numpy(t) for name, t in tensors.items()}

    def shapes(self) -> parameters.Shapes:
        layers = dict(self.named_modules())
        found = {}
        for name, own in canonical(self, self.state_dict()).items():
            layer, _, part = own.rpartition('.')
            found[name] = shape_of(layers[layer], part)
        return {name: found[name] for name in floats(named_tensors(self))}

    def load_arrays(self, arrays: Arrays) -> None:
        own = canonical(self, self.state_dict())
        state = {own[n]: torch.tensor(array) for n, array in arrays.items()}
        self.load_state_dict(state, strict=False)

    def freeze(self) -> None:
        names = last_layer(floats(named_tensors(self)))
        last = {id(named_tensors(self)[name]) for name in names}
        for param in self.parameters():
            param.requires_grad = id(param) in last
        self.frozen = True
        self.train(self.training)

    def train(self, mode=True):
        """As PyTorch's, but batch normalization that is frozen predicts."""
        super().train(mode)
        for layer in self.modules() if self.frozen else ():
            if isinstance(layer, _BatchNorm):
                layer.eval()
        return self


class BFloat16Sequential(nn.Sequential):
    """A block that computes in bfloat16, from float32 to float32."""

    def forward(self, X):
        with torch.autocast(X.device.type, torch.bfloat16):
            return super().forward(X).float()


# The class of a block for each precision
BLOCKS = {'float32': nn.Sequential, 'bfloat16': BFloat16Sequential}


def named_tensors(model):
    """Return the parameters and running statistics of a model by their names.

    They are those of `d2l_vgg.networks.names`, or PyTorch's own where the
    model is no network of the family.
    """
    state = model.state_dict(keep_vars=True)
    return {name: state[own] for name, own in canonical(model, state).items()}


def floats(tensors):
    """Leave out what is no parameter or statistic, such as a counter."""
    return {n: t for n, t in tensors.items() if t.is_floating_point()}


def to_numpy(tensor):
    """Return a copy of a tensor as NumPy's array, C-contiguous."""
    return tensor.detach().cpu().contiguous().numpy().copy()


def shape_of(layer, name):
    """Return the shape of a layer's parameter, None for what is not known."""
    tensor = getattr(layer, name)
    if not is_lazy(tensor):
        return tuple(tensor.shape)
    size = getattr(
        layer, 'out_channels', getattr(layer, 'out_features', None)
    )
    if name != 'weight' or hasattr(layer, 'num_features'):
        return (size,)
    return (size, None, *getattr(layer, 'kernel_size', ()))
