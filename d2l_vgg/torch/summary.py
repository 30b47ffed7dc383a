"""The calls of PyTorch modules, and what they are; see `networks.calls`."""

import contextlib
import math
import re

import torch
from torch import nn
from torch.nn.modules import activation, batchnorm, dropout, pooling
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)

from d2l_vgg.networks import calls
from d2l_vgg.networks.calls import Call

# What these layers are called as parts
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


@contextlib.contextmanager
def recorded(model):
    """Within the body, note the calls of modules as parts of one `Call`.

    Compiled modules run operation by operation meanwhile.
    """
    whole = Call(None)
    stack = [whole]
    compiled = {m: m._compiled_call_impl for m in model.modules()}

    def enter(module, inputs):
        stack[-1].parts.append(Call(module, *inputs[:1]))
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
    return Rows().of(model, call.parts)


class Rows(calls.Rows):
    framework, sequential = 'PyTorch', nn.Sequential

    def kind(self, module):
        for classes, kind in KINDS:
            if isinstance(module, classes):
                return kind
        if self.has_own(module) or list(module.children()):
            return None
        return MODULES.get(type(module).__module__)

    def name(self, module):
        return re.sub('^BFloat16', '', type(module).__name__)

    def parameters(self, module):
        # A layer that was never called may not know its shape
        return [
            (id(p), 0 if nn.parameter.is_lazy(p) else p.numel())
            for p in module.parameters()
        ]

    def has_own(self, module):
        return bool(list(module.parameters(recurse=False)))

    def weight_uses(self, call):
        places = call.output.shape[1:-1]
        if isinstance(call.layer, _ConvTransposeNd):
            places = call.input.shape[2:]
        elif isinstance(call.layer, _ConvNd):
            places = call.output.shape[2:]
        return math.prod(call.layer.weight.shape), math.prod(places)
