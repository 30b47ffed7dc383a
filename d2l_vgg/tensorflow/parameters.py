"""The variables of Keras's layers and optimizers as named NumPy arrays.

The names and the layout are those of `d2l_vgg.networks.names`. Keras has the
outputs of a layer last, and the channels of an image.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import tensorflow as tf
from keras import layers

from d2l_vgg.networks.names import canonical
from d2l_vgg.training import deferred, parameters, seeds
from d2l_vgg.training.arrays import Arrays
from d2l_vgg.training.checkpoint import optimizer_name
from d2l_vgg.training.classifier import last_layer


class ModelArrays(deferred.DrawnByImage):
    """Mixed into a classifier: its variables, and which are trained."""

    frozen = False

    def is_drawn(self) -> bool:
        return bool(named_parameters(self))

    def read_arrays(self) -> Arrays:
        params = named_parameters(self)
        return {name: p.read(p.variable) for name, p in params.items()}

    def read_shapes(self) -> parameters.Shapes:
        return {name: p.shape for name, p in named_parameters(self).items()}

    def write_arrays(self, arrays: Arrays) -> None:
        params = named_parameters(self)
        for name, array in arrays.items():
            params[name].write(params[name].variable, array)

    def trained_parameters(self):
        """Return name -> `Parameter` of what gradient descent changes."""
        params = named_parameters(self)
        names = last_layer(params) if self.frozen else params
        return {n: params[n] for n in names if params[n].variable.trainable}

    @property
    def trainable_variables(self):
        """What gradient descent changes, in the order of the layers."""
        return [p.variable for p in self.trained_parameters().values()]

    def freeze(self) -> None:
        self.frozen = True
        for layer in layers_of(self):
            if isinstance(layer, layers.BatchNormalization):
                layer.trainable = False  # So it keeps its statistics, too


class TrainerArrays:
    """Mixed into a trainer: all that training changes."""

    model: Any
    optim: Any
    train_batch_idx: int

    def arrays(self) -> Arrays:
        return {
            name: layout.read(variable)
            for name, layout, variable in self.variables_by_name()
        }

    def load_arrays(self, arrays: Arrays) -> None:
        for name, layout, variable in self.variables_by_name():
            layout.write(variable, arrays[name])
        if hasattr(self.optim, 'iterations'):
            self.optim.iterations.assign(self.train_batch_idx)

    def variables_by_name(self):
        """Return (name, layout, variable) for all that training changes.

        The layout is a `Parameter`, also of what the optimizer keeps of it.
        """
        params = named_parameters(self.model)
        found = [(name, p, p.variable) for name, p in params.items()]
        # After the number of steps and the learning rate
        kept = getattr(self.optim, 'variables', [])[2:]
        if isinstance(self.optim, keras.optimizers.SGD):
            trained = self.model.trained_parameters()
            for (name, param), variable in zip(trained.items(), kept):
                slot = optimizer_name(name, 'momentum')
                found.append((slot, param, variable))
            return found
        for i, variable in enumerate(kept):
            slot = optimizer_name('all', f'state{i}')
            found.append((slot, Parameter(variable), variable))
        return found


class Parameter(NamedTuple):
    """A variable, and how its layout differs from that of all frameworks.

    `image` is the (height, width, channels) that was flattened for a fully
    connected layer, if any; `turned` is False where the variable is to be
    kept in its own layout.
    """

    variable: Any
    image: tuple = ()
    turned: bool = False

    @property
    def shape(self):
        """That of the array which `read` returns."""
        shape = tuple(self.variable.shape)
        return deferred.outputs_first_shape(shape) if self.turned else shape

    def read(self, variable):
        """Return a variable of this layout as a NumPy array in everyone's."""
        array = variable.numpy()
        if not self.turned:
            return array
        if self.image:
            array = array.reshape(*self.image, -1)
        array = deferred.outputs_first(array)
        return array.reshape(len(array), -1) if self.image else array

    def write(self, variable, array):
        """Set a variable of this layout to what `read` has returned."""
        if self.image:
            height, width, channels = self.image
            array = array.reshape(-1, channels, height, width)
        if self.turned:
            array = deferred.outputs_last(array)
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
        name: Parameter(variable, image if turned else (), turned)
        for name, (variable, image) in zip(names, found)
    }


def layers_of(model):
    """Return the innermost layers of a model, and variables without one."""
    found = innermost(list(vars(model).values()))
    return list({id(part): part for part in found}.values())


def innermost(part):
    """Return those of a layer, a list or a tuple; for others, nothing."""
    known = isinstance(part, (layers.Layer, tf.Variable, keras.Variable))
    inside = getattr(part, 'layers', None) if known else part
    if not isinstance(inside, (list, tuple)):
        return [part] if known else []
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
