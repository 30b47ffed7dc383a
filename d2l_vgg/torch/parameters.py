"""The parameters of PyTorch's modules and optimizers as named NumPy arrays.

The names are those of `d2l_vgg.networks.names`, or PyTorch's own where the
model is no network of the family.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from d2l_vgg.networks.names import canonical
from d2l_vgg.training import errors, parameters
from d2l_vgg.training.arrays import Arrays
from d2l_vgg.training.checkpoint import optimizer_name
from d2l_vgg.training.classifier import last_layer


class ModelArrays(nn.Module):
    """Mixed into a classifier: its parameters, and which are trained."""

    frozen = False

    def arrays(self) -> Arrays:
        tensors = floats(named_tensors(self))
        if any(map(is_lazy, tensors.values())):
            raise errors.NotDrawn
        return {name: to_numpy(t) for name, t in tensors.items()}

    def shapes(self) -> parameters.Shapes:
        own = canonical(self, self.state_dict())
        return {
            name: shape_of(self, own[name])
            for name in floats(named_tensors(self))
        }

    def load_arrays(self, arrays: Arrays) -> None:
        own = canonical(self, self.state_dict())
        state = {own[n]: torch.tensor(array) for n, array in arrays.items()}
        self.load_state_dict(state, strict=False)

    def freeze(self) -> None:
        tensors = floats(named_tensors(self))
        last = {id(tensors[name]) for name in last_layer(tensors)}
        for param in self.parameters():
            param.requires_grad = id(param) in last
        self.frozen = True
        self.train(self.training)


class TrainerArrays:
    """Mixed into a trainer: all that training changes."""

    model: Any
    optim: Any

    def groups(self):
        """Return the groups of the optimizer, none of one from scratch."""
        return getattr(self.optim, 'param_groups', [])

    def make_optimizer_state(self) -> None:
        if not self.groups() or self.optim.state:
            return
        # One of PyTorch's makes it in its first step: here, in one that
        # leaves the parameters as they are
        rates = [group['lr'] for group in self.groups()]
        for group in self.groups():
            group['lr'] = 0.0
            for param in group['params']:
                param.grad = torch.zeros_like(param)
        self.optim.step()
        self.optim.zero_grad()
        for group, lr in zip(self.groups(), rates):
            group['lr'] = lr

    def arrays(self) -> Arrays:
        return {name: to_numpy(t) for name, t in self.tensors().items()}

    @torch.no_grad()
    def load_arrays(self, arrays: Arrays) -> None:
        for name, tensor in self.tensors().items():
            tensor.copy_(torch.from_numpy(arrays[name]))

    def tensors(self):
        """Return name -> tensor of all that training changes.

        Parameters that only the optimizer knows are from scratch.
        """
        tensors = named_tensors(self.model)
        known = {id(tensor) for tensor in tensors.values()}
        params = [p for group in self.groups() for p in group['params']]
        params = params or getattr(self.optim, 'params', [])
        others = [p for p in params if id(p) not in known]
        tensors |= {f'parameter{i}': p for i, p in enumerate(others)}
        state = self.optim.state if self.groups() else {}
        slots = {
            optimizer_name(name, slot): value
            for name, param in tensors.items()
            for slot, value in state.get(param, {}).items()
            if torch.is_tensor(value)
        }
        return {**tensors, **slots}


def named_tensors(model):
    """Return name -> tensor of a model's parameters and statistics."""
    state = model.state_dict(keep_vars=True)
    return {name: state[own] for name, own in canonical(model, state).items()}


def floats(tensors):
    """Leave out what is no parameter or statistic, such as a counter."""
    return {n: t for n, t in tensors.items() if t.is_floating_point()}


def to_numpy(tensor):
    """Return a copy of a tensor as NumPy's array, C-contiguous."""
    return tensor.detach().cpu().numpy().copy()


def shape_of(model, own_name):
    """Return a parameter's shape with None for a size not known yet."""
    layer, _, name = own_name.rpartition('.')
    layer = model.get_submodule(layer)
    tensor = getattr(layer, name)
    if not is_lazy(tensor):
        return tuple(tensor.shape)
    size = getattr(
        layer, 'out_channels', getattr(layer, 'out_features', None)
    )
    if name != 'weight' or hasattr(layer, 'num_features'):
        return (size,)
    return (size, None, *getattr(layer, 'kernel_size', ()))
