"""The variables of Flax and the state of Optax as named NumPy arrays.

The names and the layout are those of `d2l_vgg.networks.names`. A network's
own names join those on the way to an array with dots:
params.layers_0.layers_2.kernel. They come in the order of the layers, where
Flax and JAX sort them, layers_12 before layers_2.
"""

from __future__ import annotations

from typing import Any

import jax
from flax import traverse_util
from jax import numpy as jnp
from jax.tree_util import DictKey, GetAttrKey, keystr

from d2l_vgg.jax.layers import mode
from d2l_vgg.networks.names import canonical
from d2l_vgg.training import deferred, parameters
from d2l_vgg.training.arrays import Arrays
from d2l_vgg.training.checkpoint import optimizer_name
from d2l_vgg.training.classifier import last_layer


class ModelArrays(deferred.DrawnByImage):
    """Mixed into a classifier: its variables, and which are trained."""

    net: Any
    variables: Any = None  # Parameters and running statistics, once drawn
    own_names: Any = None  # Name -> Flax's name, layer by layer, once drawn
    frozen = False

    def draw(self, seed, *inputs):
        """Draw the parameters of a network that takes such inputs.

        Raises:
            ValueError: they do not fit the network, or the parameters that
                were loaded.
        """
        self.check_input(inputs[0], channels_last=True)
        found = []

        def draw(seed, *inputs):
            with mode(train=False):
                variables = self.net.init(jax.random.key(seed), *inputs)
            found.extend(flat(variables))  # JAX sorts what is returned
            return variables

        # As it runs once, it is not worth five times as long a compilation
        quickly = {'xla_backend_optimization_level': 0}
        options = quickly if jax.default_backend() == 'cpu' else None
        draw = jax.jit(draw, compiler_options=options)
        self.variables = draw(seed, *inputs)
        self.own_names = own_names(self, found)
        self.take_up()

    def is_drawn(self) -> bool:
        return self.variables is not None

    def read_arrays(self) -> Arrays:
        arrays = flat(self.variables)
        return {
            name: deferred.outputs_first(arrays[own])
            for name, own in self.own_names.items()
        }

    def read_shapes(self) -> parameters.Shapes:
        arrays = flat(self.variables)
        return {
            name: deferred.outputs_first_shape(arrays[own].shape)
            for name, own in self.own_names.items()
        }

    def write_arrays(self, arrays: Arrays) -> None:
        found = {
            self.own_names[name]: jnp.array(deferred.outputs_last(array))
            for name, array in arrays.items()
        }
        self.variables = nested({**flat(self.variables), **found})

    def freeze(self) -> None:
        self.frozen = True

    def trained_names(self):
        """Return Flax's names of the parameters that training changes."""
        own = self.own_names
        trained = last_layer(own) if self.frozen else own
        return [own[n] for n in trained if own[n].startswith('params.')]


class TrainerArrays:
    """Mixed into a trainer: all that training changes."""

    model: Any
    state: Any
    device: Any
    train_batch_idx: int

    def arrays(self) -> Arrays:
        slots = {
            name: deferred.outputs_first(leaf)
            for name, leaf in named_leaves(self.state, self.model.own_names)
            if name is not None
        }
        return {**self.model.arrays(), **slots}

    def load_arrays(self, arrays: Arrays) -> None:
        names = self.model.own_names
        self.model.load_arrays({name: arrays[name] for name in names})
        self.model.variables = self.on_device(self.model.variables)
        leaves = []
        for name, leaf in named_leaves(self.state, names):
            if name is not None:
                array = deferred.outputs_last(arrays[name])
                leaf = jnp.array(array).astype(leaf.dtype)
            elif leaf.dtype.kind in 'iu':  # It counts the updates
                leaf = jnp.full_like(leaf, self.train_batch_idx)
            leaves.append(leaf)
        form = jax.tree.structure(self.state)
        self.state = self.on_device(jax.tree.unflatten(form, leaves))

    def on_device(self, tree):
        return jax.device_put(tree, self.device, may_alias=False)


def flat(tree):
    """Return own name -> array."""
    return traverse_util.flatten_dict(tree, sep='.')


def nested(arrays):
    """Return the tree of which `flat` has made `arrays`."""
    return traverse_util.unflatten_dict(arrays, sep='.')


def own_names(model, found):
    """Return name -> Flax's name, layer by layer, of those `found`.

    The running statistics, which come last there, belong to their layers.
    """
    layers = list(dict.fromkeys(map(layer_of, found)))
    found.sort(key=lambda name: layers.index(layer_of(name)))
    return canonical(model, found)


def layer_of(name):
    """Return the own name of a layer, without its part and its collection."""
    return name.partition('.')[2].rpartition('.')[0]


def named_leaves(state, own_names):
    """Return (name, array) for each array in the state of an optimizer.

    The name is None for hyperparameters, and for counts of the updates;
    `own_names` maps the name of a parameter to Flax's.
    """
    names = {own: name for name, own in own_names.items()}
    found = []
    for path, leaf in jax.tree_util.tree_leaves_with_path(state):
        fields = [key.name for key in path if isinstance(key, GetAttrKey)]
        keys = [str(key.key) for key in path if isinstance(key, DictKey)]
        own = keys[-1] if keys else None
        if own in names:
            slot = 'momentum' if fields[-1] == 'trace' else fields[-1]
            name = optimizer_name(names[own], slot)
        elif 'hyperparams' in fields or fields[-1] == 'count':
            name = None
        else:
            name = f'optimizer/{keystr(path)}'
        if name is not None and name in dict(found):
            name = f'{name}{keystr(path)}'
        found.append((name, leaf))
    return found
