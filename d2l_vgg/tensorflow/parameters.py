"""The variables of a Keras network by name, in the layout of all frameworks.

See `d2l_vgg.networks.names`. Keras has the outputs of a layer last, and the
channels of an image.
"""

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from d2l_vgg.networks.names import canonical
from d2l_vgg.training import seeds


class Parameter(NamedTuple):
    """A variable, and how its layout differs from that of all frameworks.

    `image` is the (height, width, channels) that was flattened for a fully
    connected layer, if any; `turned` is False where the variable is to be
    kept in its own layout.
    """

    variable: object
    image: tuple
    turned: bool

    @property
    def shape(self):
        """That of the array which `read` returns."""
        shape = tuple(self.variable.shape)
        if self.turned and len(shape) == 4:
            return (*shape[:1:-1], *shape[:2])
        return shape[::-1] if self.turned else shape

    def read(self, variable):
        """Return a variable of this layout as a NumPy array in everyone's."""
        array = variable.numpy()
        if not self.turned:
            return array
        if self.image:
            array = array.reshape(*self.image, -1)
        if array.ndim == 4:
            array = array.transpose(3, 2, 0, 1)
        else:
            array = array.T
        if self.image:
            array = array.reshape(len(array), -1)
        return np.ascontiguousarray(array)

    def write(self, variable, array):
        """Set a variable of this layout to what `read` has returned."""
        if self.turned:
            if self.image:
                height, width, channels = self.image
                array = array.reshape(-1, channels, height, width)
            if array.ndim == 4:
                array = array.transpose(2, 3, 1, 0)
            else:
                array = array.T
        variable.assign(array.reshape(variable.shape))


def named_parameters(model):
    """Return name -> `Parameter` of a model, in the order of its layers.

    Where it is no network of the family, they are numbered, and keep the
    layout that they have.
    """
    found, image = [], ()
    for layer in layers_of(model):
        if isinstance(layer, layers.Flatten) and layer.built:
            image = layer.get_build_config()['input_shape'][1:]
        for variable in getattr(layer, 'weights', [layer]):
            is_first = isinstance(layer, layers.Dense) and len(image) == 3
            found.append((variable, image if is_first else ()))
            if is_first:
                image = ()
    own = [f'parameter{i}' for i in range(len(found))]
    names = canonical(model, own)
    turned = list(names) != own
    return {
        name: Parameter(variable, image, turned)
        for name, (variable, image) in zip(names, found)
    }


def layers_of(model):
    """Return the innermost layers of a model, and variables without one."""
    found = []
    for value in vars(model).values():
        for part in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(part, keras.layers.Layer):
                found += innermost(part)
            elif isinstance(part, (tf.Variable, keras.Variable)):
                found.append(part)
    return list({id(part): part for part in found}.values())


def innermost(layer):
    """Return the layers inside a layer, which alone has none."""
    inside = getattr(layer, 'layers', None)
    if not inside:
        return [layer]
    return [found for child in inside for found in innermost(child)]


def seed_initializers(model, seed):
    """Let the layers of a model draw their parameters by this seed.

    Keras has chosen other seeds as the layers were made. Those that are
    given in a layer stay, as do parameters that have been drawn.
    """
    for i, layer in enumerate(layers_of(model)):
        for j, value in enumerate(vars(layer).values()):
            if isinstance(value, keras.initializers.Initializer):
                if value.get_config().get('seed', 0) is None:
                    value.seed = seeds.mix(seed, i, j)


def random_states(model):
    """Return the variables with the seeds of dropout and the like."""
    return [
        variable
        for layer in layers_of(model)
        for variable in getattr(layer, 'variables', [])
        if variable.name == 'seed_generator_state'
    ]
