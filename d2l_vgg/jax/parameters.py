"""The variables of Flax and the state of Optax as named NumPy arrays.

The names and the layout are those of `d2l_vgg.networks.names`. A network's
own names join those on the way to an array with dots:
params.layers_0.layers_2.kernel. They come in the order of the layers, where
Flax and JAX sort them, layers_12 before layers_2.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from flax import traverse_util
from jax import numpy as jnp
from jax.tree_util import DictKey, GetAttrKey, keystr

from d2l_vgg.jax.layers import mode
from d2l_vgg.networks.names import canonical, parameter_shapes
from d2l_vgg.training import errors, parameters
from d2l_vgg.training.arrays import Arrays
from d2l_vgg.training.checkpoint import optimizer_name
from d2l_vgg.training.classifier import last_layer

# Flax keeps (height, width, inputs, outputs), or (inputs, outputs)
AXES = {4: (3, 2, 0, 1), 2: (1, 0)}


class ModelArrays:
    """Mixed into a classifier: its variables, and which are trained."""

    net: Any
    arch: Any
    num_classes: int
    variables: Any = None  # Parameters and running statistics, once drawn
    order: Any = ()  # Their names in Flax, layer by layer
    given: Arrays = {}  # What was loaded before they were drawn
    frozen = False

    def draw(self, key, *inputs):
        """Draw the parameters of a network that takes such inputs.

        Raises:
            ValueError: they do not fit the network, or the parameters that
                were loaded.
        """
        self.check_input(inputs[0], channels_last=True)
        with mode(train=False):
            self.order = names(self.net, *inputs)
            self.variables = jax.jit(self.net.init)(key, *inputs)
        self.load_arrays(self.given)

    def arrays(self) -> Arrays:
        if self.variables is None:
            if self.given and set(self.given) == set(self.shapes()):
                return dict(self.given)
            raise errors.NotDrawn
        arrays = flat(self.variables)
        own = self.own_names().items()
        return {name: to_common(arrays[theirs]) for name, theirs in own}

    def shapes(self) -> parameters.Shapes:
        if self.variables is not None:
            arrays = flat(self.variables)
            own = self.own_names().items()
            return {
                name: common_shape(arrays[theirs]) for name, theirs in own
            }
        try:
            shapes = parameter_shapes(self.arch, self.num_classes)
        except (AttributeError, TypeError, ValueError):
            raise ValueError(
                f'What parameters {type(self).__name__} has is not known '
                'before it has seen an image: call model(X) first.'
            ) from None
        return {**shapes, **{n: a.shape for n, a in self.given.items()}}

    def load_arrays(self, arrays: Arrays) -> None:
        if self.variables is None:  # An image has to tell the layers
            self.given = {**self.given, **arrays}
            return
        for name, array in self.arrays().items():
            if name in arrays and array.shape != arrays[name].shape:
                raise ValueError(
                    f'{name} is {arrays[name].shape} in the parameters that '
                    f'were loaded and {array.shape} for these images: take '
                    'images of the size that they were trained on.'
                )
        found = {
            own: from_common(arrays[name])
            for name, own in self.own_names().items()
            if name in arrays
        }
        self.variables = nested({**flat(self.variables), **found})

    def freeze(self) -> None:
        self.frozen = True

    def own_names(self):
        """Return name -> Flax's name, joined by dots, in layer order."""
        return canonical(self, self.order)

    def trained_names(self):
        """Return Flax's names of the parameters that training changes."""
        own = self.own_names()
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
            name: to_common(leaf)
            for name, leaf in named_leaves(self.state, self.names_by_own())
            if name is not None
        }
        return {**self.model.arrays(), **slots}

    def load_arrays(self, arrays: Arrays) -> None:
        self.model.load_arrays(arrays)
        self.model.variables = self.on_device(self.model.variables)
        leaves = []
        for name, leaf in named_leaves(self.state, self.names_by_own()):
            if name is not None:
                leaf = from_common(arrays[name]).astype(leaf.dtype)
            elif leaf.dtype.kind in 'iu':  # It counts the updates
                leaf = jnp.full_like(leaf, self.train_batch_idx)
            leaves.append(leaf)
        form = jax.tree.structure(self.state)
        self.state = self.on_device(jax.tree.unflatten(form, leaves))

    def on_device(self, tree):
        return jax.tree.map(
            lambda a: jax.device_put(jnp.array(a), self.device), tree
        )

    def names_by_own(self):
        return {own: name for name, own in self.model.own_names().items()}


def flat(tree):
    """Return own name -> array."""
    return traverse_util.flatten_dict(tree, sep='.')


def nested(arrays):
    """Return the tree of which `flat` has made `arrays`."""
    return traverse_util.unflatten_dict(arrays, sep='.')


def names(net, *inputs):
    """Return the own names of what `net` would draw, layer by layer.

    `inputs` are those of a forward pass, of which only the shapes count.
    """
    found = []

    def draw(*inputs):
        with mode(train=False):
            variables = net.init(jax.random.key(0), *inputs)
        found.extend(flat(variables))  # JAX would sort what is returned

    jax.eval_shape(draw, *inputs)
    # The running statistics, which come last, belong to their layers
    layers = list(dict.fromkeys(map(layer_of, found)))
    return sorted(found, key=lambda name: layers.index(layer_of(name)))


def layer_of(name):
    """Return the own name of a layer, without its part and its collection."""
    return name.partition('.')[2].rpartition('.')[0]


def to_common(array):
    """Return an array as NumPy's, in the layout of all frameworks."""
    array = np.asarray(array)
    return np.ascontiguousarray(array.transpose(AXES.get(array.ndim)))


def common_shape(array):
    """Return the shape of what `to_common` makes of an array."""
    shape = array.shape
    return tuple(shape[i] for i in AXES.get(len(shape), range(len(shape))))


def from_common(array):
    """Return the array of which `to_common` has made this one."""
    if array.ndim in AXES:
        array = array.transpose(np.argsort(AXES[array.ndim]))
    return jnp.array(array)


def named_leaves(state, names):
    """Return (name, array) for each array in the state of an optimizer.

    The name is None for hyperparameters, and for counts of the updates.

    Args:
        state: as Optax has it
        names: own name of a parameter -> the one to keep it under
    """
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
