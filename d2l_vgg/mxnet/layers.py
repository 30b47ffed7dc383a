"""Layers that Gluon lacks: response normalization, blocks in bfloat16.

Each has its operations in `compute`, of which `traced` makes the method that
this version of MXNet calls.
"""

import numpy as onp
from mxnet.gluon import nn

from d2l_vgg.mxnet.patches import traced

# What MXNet calls this type
BFLOAT16 = onp.dtype([('bfloat16', onp.uint16)])


def cast(F, X, dtype):
    """Return `X` as `dtype`; gradients come back in the type of `X`."""
    # MXNet has this function for its old kind of arrays only
    X = F.amp_cast(X.as_nd_ndarray(), dtype=dtype)
    return X.as_np_ndarray()


@traced
class LocalResponseNorm(nn.HybridBlock):
    """Divide each activation by the strength of its neighbours in channels.

    See `Architecture`. The shape stays as it is.
    """

    def compute(self, F, X):
        # As in `cast`. MXNet divides alpha by the five
        X = X.as_nd_ndarray()
        Y = F.LRN(X, nsize=5, alpha=1e-4, beta=0.75, knorm=2)
        return Y.as_np_ndarray()


@traced
class BFloat16Conv2D(nn.Conv2D):
    """A convolution that rounds its input and its parameters to bfloat16.

    Its output, of type bfloat16, holds sums that were computed in float32.
    """

    def compute(self, F, X, **params):
        X = cast(F, X, BFLOAT16)
        params = {n: cast(F, A, BFLOAT16) for n, A in params.items()}
        Y = F.npx.convolution(X, **params, **self._kwargs)
        return Y if self.act is None else self.act(Y)


@traced
class BFloat16Sequential(nn.HybridSequential):
    """A block in bfloat16, as which it gives its output to a further one."""

    def compute(self, F, X):
        for layer in self:
            X = layer(X)
        return X if self.followed else cast(F, X, 'float32')


# For each precision, the classes of the convolutions and of their blocks
BLOCKS = {
    'float32': (nn.Conv2D, nn.HybridSequential),
    'bfloat16': (BFloat16Conv2D, BFloat16Sequential),
}
