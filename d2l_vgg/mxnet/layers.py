"""The calls of Gluon's layers, and what they are; see `networks.calls`."""

import contextlib
import math
import re

from mxnet import gluon
from mxnet.gluon import nn
from mxnet.gluon.nn import basic_layers, conv_layers

from d2l_vgg.networks import calls
from d2l_vgg.networks.calls import Call

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

# What these layers are called as parts
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

    Raises:
        ValueError: no layer is called, as in a model from scratch.
    """
    with recorded(model) as stack:
        model(X)
    (whole,) = stack[0].parts
    return Rows().of(model, whole.parts)


class Rows(calls.Rows):
    framework, sequential = 'Gluon', SEQUENTIAL

    def kind(self, block):
        for classes, kind in KINDS:
            if isinstance(block, classes):
                return kind
        return getattr(block, 'summary_kind', None)

    def name(self, block):
        return re.sub('^BFloat16', 'Hybrid', type(block).__name__)

    def parameters(self, block):
        # Constants and running statistics are none: no gradient trains them
        return [
            # A layer that was never called may not know its shape
            (p, math.prod(p.shape) if p.shape and min(p.shape) > 0 else 0)
            for p in block.collect_params().values()
            if p._differentiable and not isinstance(p, gluon.Constant)
        ]

    def has_own(self, block):
        return bool(list(block.params.values()))

    def weight_uses(self, call):
        block, places = call.layer, call.output.shape
        channel = len(places) - 1
        if isinstance(block, Conv):
            if block._op_name.lower() == 'deconvolution':
                places = call.input.shape
            channel = block._kwargs['layout'].index('C')
        num_places = math.prod(places) // places[0] // places[channel]
        return math.prod(block.weight.shape), num_places
