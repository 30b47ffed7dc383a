"""What each layer of a Flax network gives and costs."""

import math

import jax
import numpy as np
from flax import linen as nn

from d2l_vgg.jax.layers import LocalResponseNorm, MaxPool, mode
from d2l_vgg.networks.summaries import Row, add

# What a row calls a layer inside of another
NAMES = {
    nn.Conv: 'conv',
    nn.BatchNorm: 'norm',
    LocalResponseNorm: 'lrn',
    MaxPool: 'pool',
    nn.Dense: 'dense',
    nn.Dropout: 'dropout',
}


def rows(net, X_shape):
    """Return a `Row` for each layer of `net`, from a pass that is traced.

    Raises:
        ValueError: images of shape `X_shape` do not fit.
    """
    calls = []

    def noted(call, args, kwargs, context):
        Y = call(*args, **kwargs)
        if context.method_name == '__call__':
            calls.append((context.module.path, context.module, Y))
        return Y

    def run(X):
        with mode(train=False), nn.intercept_methods(noted):
            return net.init(jax.random.key(0), X)

    try:
        variables = jax.eval_shape(
            run, jax.ShapeDtypeStruct(X_shape, 'float32')
        )
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise ValueError(
            f'Images of shape {tuple(X_shape)} do not fit this network: they '
            'are smaller than its poolings can halve, or not (batch_size, '
            'height, width, channels).'
        ) from error
    params = variables.get('params', {})
    return [
        row(path, layer, Y, calls, params)
        for path, layer, Y in calls
        if len(path) == 1
    ]


def row(path, layer, Y, calls, params):
    """Return the `Row` of a layer with its parts, from all that was noted."""
    parts = tuple(
        row(other, part, Z, calls, params)._replace(
            name=NAMES.get(type(part), type(part).__name__)
        )
        for other, part, Z in calls
        if len(other) == len(path) + 1 and other[: len(path)] == path
    )
    for key in path:
        params = params.get(key, {})
    num_params = sum(math.prod(a.shape) for a in jax.tree.leaves(params))
    macs = add(parts) if parts else macs_of(layer, Y, params)
    name = type(layer).__name__
    return Row(name, tuple(Y.shape), num_params, macs, parts)


def macs_of(layer, Y, params):
    """Return the multiply-adds of a layer for one image, None if unknown."""
    if isinstance(layer, (nn.Conv, nn.Dense)):
        # Each number of the output meets all weights of its channel
        return int(np.prod(Y.shape[1:-1])) * math.prod(params['kernel'].shape)
    return 0 if type(layer) in NAMES else None
