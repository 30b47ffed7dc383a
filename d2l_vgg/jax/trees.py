"""The variables of a Flax network by name, in the layout of all frameworks.

A network's own names join those on the way to an array with dots:
params.layers_0.layers_2.kernel. They come in the order of the layers, where
Flax and JAX sort them, layers_12 before layers_2.
"""

import jax
import numpy as np
from flax import traverse_util
from jax import numpy as jnp

from d2l_vgg.jax.layers import mode

# Flax keeps (height, width, inputs, outputs), or (inputs, outputs)
AXES = {4: (3, 2, 0, 1), 2: (1, 0)}


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
