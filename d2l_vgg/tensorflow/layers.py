"""What the layers of a Keras network give and cost.

All is read off a real forward pass and the layers that it calls, so it holds
for a reader's own network as for ours.
"""

import contextlib
import math

import keras
from keras import layers

from d2l_vgg.networks.summaries import Row, add

# What these layers are called as parts; of the multiply-adds, only those of
# convolutions and of dense layers are counted
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


class Call:
    """A call of a layer, and the calls that it makes itself."""

    def __init__(self, layer):
        self.layer, self.output, self.parts = layer, None, []


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

    They are the layers of its network, which may be a Sequential or any
    other; what they have inside is in their parts.

    Raises:
        ValueError: no layer is called, as in a model from scratch.
    """
    model.build(X)
    with recorded() as whole:
        model.run(X, training=False)
    calls = whole.parts
    if len(calls) == 1 and isinstance(calls[0].layer, keras.Sequential):
        calls = calls[0].parts
    if not calls:
        raise ValueError(
            f'{type(model).__name__} calls no layers of Keras: there are '
            'none to list.'
        )
    counted = set()
    return [row(call, counted) for call in calls]


def row(call, counted):
    parts = tuple(leaves(call, counted))
    num_params = sum(part.num_params for part in parts)
    num_params += count_params(call.layer, counted)
    macs = add(parts) if parts else macs_of(call)
    name = type(call.layer).__name__
    return Row(name, tuple(call.output.shape), num_params, macs, parts)


def leaves(call, counted):
    """Yield a row for each layer inside, but for activations."""
    for part in call.parts:
        kind = kind_of(part.layer)
        if kind == 'activation':
            continue
        if part.parts and kind is None:
            yield from leaves(part, counted)
            continue
        name = kind or type(part.layer).__name__
        num_params = count_params(part.layer, counted)
        yield Row(name, tuple(part.output.shape), num_params, macs_of(part))


def kind_of(layer):
    """Return what this layer is called as a part, None of unknown ones."""
    for cls, kind in KINDS:
        if isinstance(layer, cls):
            return kind
    name = type(layer).__name__
    if name.startswith('Conv') and name.endswith(DIMENSIONS):
        return 'conv'
    if 'Pooling' in name:
        return 'pool'
    return getattr(layer, 'summary_kind', None)


def macs_of(call):
    """Return the multiply-adds for one image, None where not known."""
    kind = kind_of(call.layer)
    if kind not in ('conv', 'dense'):
        return None if kind is None else 0
    # Each weight is used once at each place of the output
    num_places = math.prod(call.output.shape[1:-1])
    return math.prod(call.layer.kernel.shape) * num_places


def count_params(layer, counted):
    """Count the trainable parameters of `layer` that were not counted yet."""
    new = [v for v in layer.trainable_weights if id(v) not in counted]
    counted.update(map(id, new))
    return sum(math.prod(variable.shape) for variable in new)
