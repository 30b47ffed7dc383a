"""The parameters of Gluon's blocks and optimizers as named NumPy arrays.

The names are those of `d2l_vgg.networks.names`, or Gluon's own where the
model is no network of the family.
"""

from __future__ import annotations

from typing import Any

from mxnet import gluon, np, npx
from mxnet.gluon import nn

from d2l_vgg.mxnet.patches import IS_2
from d2l_vgg.networks.names import canonical
from d2l_vgg.training import errors, parameters
from d2l_vgg.training.arrays import Arrays
from d2l_vgg.training.checkpoint import optimizer_name
from d2l_vgg.training.classifier import last_layer


class ModelArrays(nn.Block):
    """Mixed into a classifier: its parameters, and which are trained."""

    def arrays(self) -> Arrays:
        # Reading does not wait for the new layout that predicting gives
        npx.waitall()
        try:
            params = named_parameters(self).items()
            return {name: param.data().asnumpy() for name, param in params}
        except gluon.parameter.DeferredInitializationError:
            raise errors.NotDrawn from None

    def shapes(self) -> parameters.Shapes:
        # Gluon sets some sizes when it first sees the input, till then to -1
        return {
            name: tuple(n if n > 0 else None for n in param.shape)
            for name, param in named_parameters(self).items()
        }

    def load_arrays(self, arrays: Arrays) -> None:
        params = named_parameters(self)
        for name, array in arrays.items():
            params[name].set_data(np.array(array))
            params[name]._finish_deferred_init()  # Its shape is known now

    def __getstate__(self) -> dict:
        if IS_2:  # A copy would have the same layers
            raise TypeError(
                'MXNet 2 cannot copy a network: make it again, then '
                'other.load_arrays(model.arrays()).'
            )
        # What cannot be copied, all of which comes again
        self.apply(forget_graph)
        for param in self.collect_params().values():
            param._trainer = param._var = None
        return super().__getstate__()

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        params = self.parameters()
        if isinstance(params, list):  # Written from scratch
            for array in params:
                array.attach_grad()
            return
        for param in params.values():
            if param._data:  # A copy has no gradient yet
                param.reset_ctx(param.list_ctx())

    def freeze(self) -> None:
        params = named_parameters(self)
        for name in set(params) - set(last_layer(params)):
            params[name].grad_req = 'null'
        self.apply(keep_statistics)


class TrainerArrays:
    """Mixed into a trainer: all that training changes."""

    model: Any
    optim: Any
    train_batch_idx: int

    def arrays(self) -> Arrays:
        npx.waitall()  # As in `ModelArrays.arrays`
        return {name: v.asnumpy() for name, v in self.values().items()}

    def load_arrays(self, arrays: Arrays) -> None:
        for name, value in self.values().items():
            array = np.array(arrays[name], dtype=value.dtype, ctx=value.ctx)
            value.as_np_ndarray()[:] = array
        if isinstance(self.optim, gluon.Trainer):
            optimizer = self.optim._optimizer
            optimizer.num_update = self.train_batch_idx
            for i in range(len(self.optim._params)):
                optimizer._index_update_count[i] = self.train_batch_idx

    def values(self) -> dict[str, np.ndarray]:
        """Return name -> array on the device of all that training changes."""
        return {**self.values_by_name(), **self.optimizer_slots()}

    def values_by_name(self) -> dict[str, np.ndarray]:
        params = self.model.parameters()
        if isinstance(params, list):  # Written from scratch
            return {f'parameter{i}': p for i, p in enumerate(params)}
        params = named_parameters(self.model)
        return {name: param.data() for name, param in params.items()}

    def optimizer_slots(self) -> dict[str, np.ndarray]:
        if not isinstance(self.optim, gluon.Trainer):
            return {}
        optimizer, (updater,) = self.optim._optimizer, self.optim._updaters
        names = {p: n for n, p in named_parameters(self.model).items()}
        slots = {}
        for i, param in enumerate(self.optim._params):
            if param.grad_req == 'null':
                continue
            if i not in updater.states:  # As it does at its first step
                weight = param.data().as_nd_ndarray()
                state = optimizer.create_state_multi_precision(i, weight)
                updater.states[i], updater.states_synced[i] = state, True
            for slot, value in slots_of(updater.states[i]):
                slots[optimizer_name(names[param], slot)] = value
        return slots


def forget_graph(layer):
    """Let a layer be compiled again at its next call."""
    if isinstance(layer, gluon.HybridBlock):
        layer._clear_cached_op()


def keep_statistics(layer):
    """Let batch normalization do in training what it does in predicting."""
    if isinstance(layer, nn.BatchNorm):
        layer._kwargs['use_global_stats'] = True


def named_parameters(model):
    """Return name -> parameter of a Gluon model."""
    params = model._collect_params_with_prefix()
    return {
        name: params[own] for name, own in canonical(model, params).items()
    }


def slots_of(state: Any) -> list[tuple[str, np.ndarray]]:
    """Return (slot, array) for each array in the state of an optimizer."""
    if state is None:
        return []
    if not isinstance(state, (list, tuple)):
        return [('momentum', state)]
    pairs = [pair for part in state for pair in slots_of(part)]
    return [(f'state{i}', array) for i, (_, array) in enumerate(pairs)]
