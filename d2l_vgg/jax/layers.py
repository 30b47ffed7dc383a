"""Layers that Flax lacks, and the two modes of those that it has."""

from flax import linen as nn
from jax import numpy as jnp


def flatten(X):
    """Return (batch_size, height, width, channels) as one line an image.

    The channels come first in it, as in the other frameworks, so that a fully
    connected layer can take over their weights.
    """
    return X.transpose(0, 3, 1, 2).reshape(len(X), -1)


class MaxPool(nn.Module):
    """Keep the largest of each 2 x 2 pixels; an odd last one is left out.

    The first of equal ones receives the gradient. This is `nn.max_pool`,
    whose gradient on a CPU takes ten times as long.
    """

    @nn.compact
    def __call__(self, X):
        above = larger(X[:, :-1:2, :-1:2], X[:, :-1:2, 1::2])
        below = larger(X[:, 1::2, :-1:2], X[:, 1::2, 1::2])
        return larger(above, below)


def larger(A, B):
    return jnp.where(A >= B, A, B)


class LocalResponseNorm(nn.Module):
    """Divide each activation by the strength of its neighbours in channels.

    See `Architecture`. The shape stays as it is.
    """

    @nn.compact
    def __call__(self, X):
        squares = jnp.pad(X**2, [(0, 0)] * (X.ndim - 1) + [(2, 2)])
        num_channels = X.shape[-1]
        strength = sum(squares[..., i : i + num_channels] for i in range(5))
        return X / (2 + 1e-4 / 5 * strength) ** 0.75


def mode(train, frozen=False):
    """In this block, let dropout and normalization train, or predict.

    So no network has to hand the mode on to its layers. A layer that was
    told itself keeps to it. In a `frozen` network normalization predicts.
    """
    flags = {
        nn.Dropout: ('deterministic', not train),
        nn.BatchNorm: ('use_running_average', frozen or not train),
    }

    def told(call, args, kwargs, context):
        flag, value = flags.get(type(context.module), (None, None))
        if (
            flag
            and context.method_name == '__call__'
            and getattr(context.module, flag) is None
        ):
            kwargs = {flag: value, **kwargs}
        return call(*args, **kwargs)

    return nn.intercept_methods(told)
