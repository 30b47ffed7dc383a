"""The calls of Keras's layers, and what they are; see `networks.calls`."""

import contextlib
import math

import keras
from keras import layers

from d2l_vgg.networks import calls
from d2l_vgg.networks.calls import Call

# What these layers are called as parts
KINDS = (
    (layers.Dense, 'dense'),
    (layers.BatchNormalization, 'norm'),
    (layers.LayerNormalization, 'norm'),
    (layers.Dropout, 'dropout'),
    (layers.Flatten, 'flatten'),
    (layers.ReLU, 'activation'),
    (layers.Activation, 'activation'),
)
DIMENSIONS = ('1D', '2D', '3D')


@contextlib.contextmanager
def recorded():
    """Within the body, note the calls of layers as parts of one `Call`."""
    whole = Call(None)
    stack, call = [whole], layers.Layer.__call__

    def noted(layer, *args, **kwargs):
        stack[-1].parts.append(Call(layer))
        stack.append(stack[-1].parts[-1])
        try:
            output = call(layer, *args, **kwargs)
        finally:
            found = stack.pop()
        found.output = output
        return output

    layers.Layer.__call__ = noted
    try:
        yield whole
    finally:
        layers.Layer.__call__ = call


def rows(model, X):
    """Return a `Row` for each layer that `model(X)` calls.

    Raises:
        ValueError: no layer is called, as in a model from scratch.
    """
    model.build(X)
    with recorded() as whole:
        model.run(X, training=False)
    return Rows().of(model, whole.parts)


class Rows(calls.Rows):
    framework, sequential = 'Keras', keras.Sequential

    def kind(self, layer):
        for cls, kind in KINDS:
            if isinstance(layer, cls):
                return kind
        name = type(layer).__name__
        if name.startswith('Conv') and name.endswith(DIMENSIONS):
            return 'conv'
        if 'Pooling' in name:
            return 'pool'
        return getattr(layer, 'summary_kind', None)

    def parameters(self, layer):
        variables = getattr(layer, 'trainable_weights', None)
        if variables is None:  # It is the model
            variables = layer.trainable_variables
        return [(id(v), math.prod(v.shape)) for v in variables]

    def has_own(self, layer):
        inside = {id(v) for sub in layer._layers for v in sub.variables}
        return any(id(v) not in inside for v in layer.trainable_weights)

    def weight_uses(self, call):
        places = call.output.shape[1:-1]
        return math.prod(call.layer.kernel.shape), math.prod(places)
