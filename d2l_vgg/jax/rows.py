"""The calls of Flax's layers, and what they are; see `networks.calls`."""

import math

import jax
from flax import linen as nn
from flax import traverse_util

from d2l_vgg.jax.layers import LocalResponseNorm, MaxPool, mode
from d2l_vgg.networks import calls
from d2l_vgg.networks.calls import Call

# What these layers are called as parts
KINDS = {
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
    whole = Call(None)
    stack = [whole]

    def noted(call, args, kwargs, context):
        if context.method_name != '__call__':
            return call(*args, **kwargs)
        stack[-1].parts.append(Call(context.module))
        stack.append(stack[-1].parts[-1])
        Y = call(*args, **kwargs)
        stack.pop().output = Y
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
    (call,) = whole.parts
    found = Rows(variables.get('params', {}))
    return [found.row(part) for part in call.parts or [call]]


class Rows(calls.Rows):
    framework, sequential = 'Flax', nn.Sequential

    def __init__(self, params):
        super().__init__()
        self.params = params

    def kind(self, layer):
        return KINDS.get(type(layer))

    def parameters(self, layer):
        found = traverse_util.flatten_dict(self.of_layer(layer))
        return [
            (layer.path + path, math.prod(array.shape))
            for path, array in found.items()
        ]

    def has_own(self, layer):
        own = self.of_layer(layer).values()
        return any(not isinstance(array, dict) for array in own)

    def weight_uses(self, call):
        # Each number of the output meets all weights of its channel
        weight = self.of_layer(call.layer)['kernel']
        return math.prod(weight.shape), math.prod(call.output.shape[1:-1])

    def of_layer(self, layer):
        """Return the parameters of a layer, by what Flax calls them."""
        params = self.params
        for key in layer.path:
            params = params.get(key, {})
        return params
