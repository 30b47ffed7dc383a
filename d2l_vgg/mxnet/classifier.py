"""A d2l classifier that can be compiled, rounded, predicted with and kept.

Loss and accuracy are d2l's. How it is trained and judged, `Trainer` tells.
"""

from __future__ import annotations

from typing import Any

from d2l import mxnet as d2l
from mxnet import gluon, np, npx
from mxnet.contrib.amp.amp import bfloat16
from mxnet.gluon import nn

from d2l_vgg.mxnet import inputs, layers
from d2l_vgg.mxnet.layers import SEQUENTIAL
from d2l_vgg.networks import summaries
from d2l_vgg.networks.names import canonical
from d2l_vgg.training import classifier, errors, parameters
from d2l_vgg.training.arrays import Arrays
from d2l_vgg.training.classifier import last_layer
from d2l_vgg.training.inputs import explained


class Classifier(classifier.Classifier, d2l.Classifier):
    """The base class of classification models.

    A subclass sets `net`, `lr` and, for its summary, `arch`. It trains under
    `d2l_vgg.Trainer` and under the book's own `d2l.Trainer` alike.
    """

    def compile(self) -> None:
        """Compile `net`: its operations run as one graph, not one by one."""
        if isinstance(getattr(self, 'net', None), nn.HybridBlock):
            # Keep the memory plan, too: every minibatch has one shape
            self.net.hybridize(static_alloc=True, static_shape=True)

    def forward(self, X):
        """Return the class scores, of shape (batch_size, num_classes).

        The minibatches of a DataLoader with worker processes arrive in
        shared memory, which a hybridized network refuses to read.

        Raises:
            inputs.WrongInput: `X` does not fit the network.
        """
        with inputs.explained(self.net, X), explained(self, X):
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
                'momentum': self.asked('momentum'),
                'wd': self.asked('weight_decay'),
            },
        )

    def set_precision(self, precision: str) -> None:
        Conv2D, Block = CLASSES[precision]
        net = getattr(self, 'net', None)
        blocks = [
            blk
            for blk in list(net if isinstance(net, SEQUENTIAL) else ())[1:]
            if isinstance(blk, nn.HybridSequential)
            and any(isinstance(layer, nn.Conv2D) for layer in blk)
        ]
        errors.check_blocks(precision, blocks)
        for blk in blocks:
            blk.__class__ = Block
            for layer in blk:
                if isinstance(layer, nn.Conv2D):
                    layer.__class__ = Conv2D

    def rows(self, X_shape: tuple) -> list[summaries.Row]:
        context = next(iter(self.collect_params().list_ctx()), d2l.cpu())
        return layers.rows(self, np.zeros(X_shape, ctx=context))

    def scored(self, batch: tuple, test_flip: bool) -> tuple:
        X, y = batch
        device = self.collect_params().list_ctx()[0]
        Y_hat = self.test_scores(X.as_in_ctx(device), flip=test_flip)
        return y.asnumpy(), npx.softmax(Y_hat).asnumpy()

    def arrays(self) -> Arrays:
        # A forward pass in predict mode lays the weights out anew, which
        # reading them by itself does not wait for
        npx.waitall()
        try:
            params = named_parameters(self).items()
            return {name: param.data().asnumpy() for name, param in params}
        except gluon.parameter.DeferredInitializationError:
            raise errors.NotDrawn from None

    def shapes(self) -> parameters.Shapes:
        # Gluon sets some sizes when it first sees the input, till then to -1
        return {
            name: tuple(n if n > 0 else None for n in param.shape)
            for name, param in named_parameters(self).items()
        }

    def load_arrays(self, arrays: Arrays) -> None:
        params = named_parameters(self)
        for name, array in arrays.items():
            params[name].set_data(np.array(array))
            params[name]._finish_deferred_init()  # Its shape is known now

    def freeze(self) -> None:
        params = named_parameters(self)
        for name in set(params) - set(last_layer(params)):
            params[name].grad_req = 'null'
        self.apply(keep_statistics)


def keep_statistics(layer):
    """Let batch normalization do in training what it does in predicting."""
    if isinstance(layer, nn.BatchNorm):
        layer._kwargs['use_global_stats'] = True


def named_parameters(model):
    """Return the parameters of a Gluon model by their names.

    They are those of `d2l_vgg.networks.names`, or Gluon's own where the model
    is no network of the family.
    """
    params = model._collect_params_with_prefix()
    return {
        name: params[own] for name, own in canonical(model, params).items()
    }


class BFloat16Conv2D(nn.Conv2D):
    """A convolution that rounds its input and its parameters to bfloat16.

    Its output, of type bfloat16, holds sums that were computed in float32.
    """

    def hybrid_forward(self, F, X, **params):
        X = cast(F, X, bfloat16)
        params = {n: cast(F, A, bfloat16) for n, A in params.items()}
        return super().hybrid_forward(F, X, **params)


class BFloat16Sequential(nn.HybridSequential):
    """A block that computes in bfloat16, from float32 to float32."""

    def hybrid_forward(self, F, X):
        return cast(F, super().hybrid_forward(F, X), 'float32')


# For each precision, the classes of the convolutions and of their blocks
CLASSES = {
    'float32': (nn.Conv2D, nn.HybridSequential),
    'bfloat16': (BFloat16Conv2D, BFloat16Sequential),
}


def cast(F, X, dtype):
    """Return `X` as `dtype`; gradients come back in the type of `X`."""
    # MXNet has this function for its old kind of arrays only
    X = F.amp_cast(X.as_nd_ndarray(), dtype=dtype)
    return X.as_np_ndarray()
