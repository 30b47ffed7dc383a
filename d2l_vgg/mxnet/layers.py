"""What the layers of a Gluon network give and cost.

All is read off a real forward pass and the layers that it calls, so it holds
for a reader's own network as for ours.
"""

import contextlib
import math

from mxnet import gluon
from mxnet.gluon import nn
from mxnet.gluon.nn import basic_layers, conv_layers

from d2l_vgg.networks.summaries import Row, add

Conv, Pooling = conv_layers._Conv, conv_layers._Pooling
SEQUENTIAL = (nn.HybridSequential, nn.Sequential)
ACTIVATIONS = (
    nn.Activation,
    nn.LeakyReLU,
    nn.ELU,
    nn.SELU,
    nn.GELU,
    nn.Swish,
)

# What these layers are called as parts; of the multiply-adds, only those of
# convolutions and of dense layers are counted
KINDS = (
    (Conv, 'conv'),
    (nn.Dense, 'dense'),
    (Pooling, 'pool'),
    (basic_layers._BatchNorm, 'norm'),
    ((nn.LayerNorm, nn.GroupNorm, nn.InstanceNorm), 'norm'),
    (nn.Dropout, 'dropout'),
    (ACTIVATIONS, 'activation'),
    (nn.PReLU, 'prelu'),
    (nn.Flatten, 'flatten'),
    (nn.Embedding, 'embedding'),
)


class Call:
    """A call of a block, and the calls that it makes itself."""

    def __init__(self, block, X=None):
        self.block, self.input, self.output = block, X, None
        self.parts = []


@contextlib.contextmanager
def recorded(block):
    """Within the body, note what calls of blocks inside of `block` happen.

    Gives a list of which the first is a `Call` that holds them as its parts;
    behind it are the calls that have not ended: where an error occurs, the
    last one is the layer that it occurs in. Compiled blocks run operation
    by operation meanwhile.
    """
    stack = [Call(None)]
    handles, compiled, seen = [], [], set()

    def enter(block, inputs):
        call = Call(block, inputs[0])
        stack[-1].parts.append(call)
        stack.append(call)

    def leave(block, inputs, output):
        stack.pop().output = output

    def watch(block):
        if id(block) in seen:  # It may stand in several places
            return
        seen.add(id(block))
        handles.append(block.register_forward_pre_hook(enter))
        handles.append(block.register_forward_hook(leave))
        if getattr(block, '_active', False):
            compiled.append(block)
            block._active = False

    block.apply(watch)
    try:
        yield stack
    finally:
        for handle in handles:
            handle.detach()
        for block in compiled:
            block._active = True


def rows(model, X):
    """Return a `Row` for each layer that `model(X)` calls.

    They are the layers of its network, which may be a Sequential or any
    other block; what they have inside is in their parts.

    Raises:
        ValueError: no layer is called, as in a model from scratch.
    """
    with recorded(model) as calls:
        model(X)
    (whole,) = calls[0].parts
    calls = whole.parts
    if len(calls) == 1 and isinstance(calls[0].block, SEQUENTIAL):
        calls = calls[0].parts
    if not calls:
        raise ValueError(
            f'{type(model).__name__} calls no layers of Gluon: there are '
            'none to list.'
        )
    counted = set()
    found = [_row(call, counted) for call in calls]
    rest = _count_params(model, counted)
    if rest:
        found.append(Row('Outside of these layers', None, rest, None))
    return found


def _row(call, counted):
    block = call.block
    parts = tuple(_leaves(call, counted))
    num_params = sum(part.num_params for part in parts)
    num_params += _count_params(block, counted)
    kind = kind_of(block)
    macs = _macs(call, kind) if kind or not parts else add(parts)
    if not kind and _own_params(block):
        macs = None
    name = type(block).__name__.replace('BFloat16', 'Hybrid')
    return Row(name, _shape(call.output), num_params, macs, parts)


def _leaves(call, counted):
    """Yield a row for each layer inside, but for activations in place."""
    if kind_of(call.block):  # Its activation is a part of it
        return
    for part in call.parts:
        kind = kind_of(part.block)
        if kind == 'activation':
            continue
        if kind or not part.parts:
            name = kind or type(part.block).__name__
            num_params = _count_params(part.block, counted)
            macs = _macs(part, kind)
            yield Row(name, _shape(part.output), num_params, macs)
        else:
            yield from _leaves(part, counted)
            own = _count_params(part.block, counted)
            if own or _own_params(part.block):
                name = type(part.block).__name__
                yield Row(name, _shape(part.output), own, None)


def kind_of(block):
    """Return what this layer is called as a part, None of unknown ones."""
    for classes, kind in KINDS:
        if isinstance(block, classes):
            return kind
    return getattr(block, 'summary_kind', None)


def _macs(call, kind):
    """Return the multiply-adds for one image, None where not known."""
    if kind is None:
        return None
    if kind not in ('conv', 'dense'):
        return 0
    # Each weight is used once at each place: of the output, and of the input
    # for a transposed convolution
    block, places = call.block, call.output.shape
    channel = len(places) - 1
    if kind == 'conv':
        if block._op_name.lower() == 'deconvolution':
            places = call.input.shape
        channel = block._kwargs['layout'].index('C')
    num_places = math.prod(places) // places[0] // places[channel]
    return math.prod(block.weight.shape) * num_places


def _shape(output):
    if isinstance(output, (list, tuple)):
        return [_shape(part) for part in output]
    return output.shape


def _count_params(block, counted):
    """Count the parameters of `block` that are not in `counted` yet.

    Constants and running statistics are none: no gradient trains them.
    """
    new = [
        param
        for param in block.collect_params().values()
        if param._differentiable
        and not isinstance(param, gluon.Constant)
        and param not in counted
    ]
    counted.update(new)
    # A layer that was never called may not know its shape
    known = [p for p in new if p.shape and min(p.shape) > 0]
    return sum(math.prod(param.shape) for param in known)


def _own_params(block):
    """Return whether the block has parameters beside those of its parts."""
    return bool(list(block.params.values()))
