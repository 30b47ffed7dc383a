"""What the layers of a PyTorch network give and cost.

All is read off a real forward pass and the modules that it calls, so it holds
for a reader's own network as for ours.
"""

import contextlib
import math

import torch
from torch import nn
from torch.nn.modules import activation, batchnorm, dropout, pooling
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)

from d2l_vgg.networks.summaries import Row, add

# What these layers are called as parts; of the multiply-adds, only those of
# convolutions and of dense layers are counted
KINDS = (
    (_ConvNd, 'conv'),
    (nn.Linear, 'dense'),
    ((batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm), 'norm'),
    (nn.LocalResponseNorm, 'lrn'),
    (dropout._DropoutNd, 'dropout'),
    (nn.Flatten, 'flatten'),
    (nn.Embedding, 'embedding'),
    (nn.PReLU, 'prelu'),
)
# All of a file of PyTorch's, where nothing is to be trained
MODULES = {activation.__name__: 'activation', pooling.__name__: 'pool'}


class Call:
    """A call of a module, and the calls that it makes itself."""

    def __init__(self, module, inputs=()):
        self.module, self.inputs, self.output = module, inputs, None
        self.parts = []


@contextlib.contextmanager
def recorded(model):
    """Within the body, note the calls of modules as parts of one `Call`.

    Compiled modules run operation by operation meanwhile.
    """
    whole = Call(None)
    stack = [whole]
    compiled = {m: m._compiled_call_impl for m in model.modules()}

    def enter(module, inputs):
        stack[-1].parts.append(Call(module, inputs))
        stack.append(stack[-1].parts[-1])

    def leave(module, inputs, output):
        stack.pop().output = output

    handles = [
        register_module_forward_pre_hook(enter),
        register_module_forward_hook(leave),
    ]
    for module in compiled:
        module._compiled_call_impl = None
    try:
        yield whole
    finally:
        for handle in handles:
            handle.remove()
        for module, implementation in compiled.items():
            module._compiled_call_impl = implementation


@torch.no_grad()
def rows(model, X):
    """Return a `Row` for each layer that `model(X)` calls.

    They are the layers of its network, which may be a Sequential or any
    other module; what they have inside is in their parts.

    Raises:
        ValueError: no layer is called, as in a model from scratch.
    """
    training = model.training
    model.eval()
    try:
        with recorded(model) as whole:
            model(X)
    finally:
        model.train(training)
    (call,) = whole.parts
    calls = call.parts
    if len(calls) == 1 and isinstance(calls[0].module, nn.Sequential):
        calls = calls[0].parts
    if not calls:
        raise ValueError(
            f'{type(model).__name__} calls no layers of PyTorch: there are '
            'none to list.'
        )
    counted = set()
    found = [row(call, counted) for call in calls]
    rest = count_params(model, counted)
    if rest:
        found.append(Row('Outside of these layers', None, rest, None))
    return found


def row(call, counted):
    module = call.module
    kind = kind_of(module)
    parts = () if kind else tuple(leaves(call, counted))
    num_params = sum(part.num_params for part in parts)
    num_params += count_params(module, counted)
    macs = add(parts) if parts else macs_of(call)
    if not kind and own_params(module):
        macs = None
    name = type(module).__name__.replace('BFloat16', '')
    return Row(name, shape_of(call.output), num_params, macs, parts)


def leaves(call, counted):
    """Yield a row for each layer inside, but for activations."""
    for part in call.parts:
        kind = kind_of(part.module)
        if kind == 'activation':
            continue
        inside = () if kind else tuple(leaves(part, counted))
        yield from inside
        num_params = count_params(part.module, counted)
        if not inside or num_params or own_params(part.module):
            name = kind or type(part.module).__name__
            macs = None if inside else macs_of(part)
            yield Row(name, shape_of(part.output), num_params, macs)


def kind_of(module):
    """Return what this layer is called as a part, None of unknown ones."""
    for classes, kind in KINDS:
        if isinstance(module, classes):
            return kind
    if own_params(module) or list(module.children()):
        return None
    return MODULES.get(type(module).__module__)


def macs_of(call):
    """Return the multiply-adds for one image, None where not known."""
    kind = kind_of(call.module)
    if kind not in ('conv', 'dense'):
        return None if kind is None else 0
    # Each weight is used once at each place: of the output, and of the input
    # for a transposed convolution
    places = call.output.shape[1:-1]
    if kind == 'conv':
        places = call.output.shape[2:]
    if isinstance(call.module, _ConvTransposeNd):
        places = call.inputs[0].shape[2:]
    return math.prod(call.module.weight.shape) * math.prod(places)


def shape_of(output):
    if isinstance(output, (list, tuple)):
        return [shape_of(part) for part in output]
    return tuple(output.shape)


def count_params(module, counted):
    """Count the parameters of `module` that are not in `counted` yet."""
    new = [p for p in module.parameters() if id(p) not in counted]
    counted.update(map(id, new))
    # A layer that was never called may not know its shape
    known = [p for p in new if not nn.parameter.is_lazy(p)]
    return sum(param.numel() for param in known)


def own_params(module):
    """Return whether the module has parameters beside those of its parts."""
    return bool(list(module.parameters(recurse=False)))
