"""A classifier in JAX: a network of Flax, and the arrays it computes with.

How it is trained and judged, `Trainer` tells.
"""

from __future__ import annotations

import contextlib
from typing import Any

import jax
import numpy as np
import optax
from flax.core import DenyList
from jax import numpy as jnp

from d2l_vgg.jax import trees
from d2l_vgg.jax.layers import in_precision, mode
from d2l_vgg.jax.optimizers import sgd
from d2l_vgg.jax.rows import rows
from d2l_vgg.networks import summaries
from d2l_vgg.networks.names import canonical, parameter_shapes
from d2l_vgg.training import classifier, errors, module, parameters
from d2l_vgg.training.arrays import Arrays
from d2l_vgg.training.classifier import last_layer
from d2l_vgg.training.inputs import explained


class Classifier(module.Module, classifier.Classifier):
    """The base class of classification models.

    A subclass sets `net`, a Flax module that returns scores, and `lr`. A Flax
    module only describes a network, and cannot change; so this class is none,
    but holds one, and the `variables` that it computes with. `Trainer`
    compiles the steps: JAX calls them once, with arrays whose numbers are
    not there yet, and repeats what they have done.
    """

    net: Any
    arch: Any
    num_classes: int
    variables = None  # Parameters and running statistics, once drawn
    order = ()  # Their names in Flax, layer by layer
    given = {}  # What was loaded before they were drawn
    key = None  # What dropout is drawn from; without, the model predicts
    compiled, frozen, precision = None, False, 'float32'

    def __call__(self, *inputs):
        return self.forward(*inputs)

    def forward(self, *inputs):
        """Return the class scores, of shape (batch_size, num_classes).

        Raises:
            WrongInput: the first of `inputs` does not fit the network.
        """
        with explained(self, inputs[0], channels_last=True):
            return self.scores(*inputs)

    def scores(self, *inputs):
        if self.variables is None:
            self.draw(jax.random.key(0), *inputs)
        if self.key is None:
            predicted = self.compiled or self.predicted
            return predicted(self.variables, *inputs)
        self.key, key = jax.random.split(self.key)
        with mode(train=True, frozen=self.frozen):
            Y_hat, changed = self.net.apply(
                self.variables,
                *inputs,
                rngs={'dropout': key},
                mutable=DenyList('params'),
            )
        self.variables = {**self.variables, **changed}
        return Y_hat

    def predicted(self, variables, *inputs):
        """Return the scores with these variables, without dropout."""
        with mode(train=False):
            return self.net.apply(variables, *inputs)

    def compile(self) -> None:
        if self.compiled is None:
            self.compiled = jax.jit(self.predicted)

    def draw(self, key, *inputs):
        """Draw the parameters of a network that takes such inputs.

        Raises:
            ValueError: they do not fit the network, or the parameters that
                were loaded.
        """
        with (
            explained(self, inputs[0], channels_last=True),
            mode(train=False),
        ):
            self.order = trees.names(self.net, *inputs)
            self.variables = jax.jit(self.net.init)(key, *inputs)
        self.load_arrays(self.given)

    @contextlib.contextmanager
    def computing(self, variables, key=None):
        """In this block, compute with `variables`, and train with `key`.

        What is plotted meanwhile is in the list that is handed over, as
        (key, value, train).
        """
        before, plotted = dict(vars(self)), []
        self.variables, self.key = variables, key
        self.plot = lambda key, value, train: plotted.append(
            (key, value, train)
        )
        try:
            yield plotted
        finally:
            for name in 'variables', 'key', 'plot':
                delattr(self, name)
                if name in before:
                    setattr(self, name, before[name])

    def loss(self, Y_hat, y, averaged=True):
        """Return the cross-entropy, or that of each example."""
        loss = optax.softmax_cross_entropy_with_integer_labels(Y_hat, y)
        return loss.mean() if averaged else loss

    def accuracy(self, Y_hat, y, averaged=True):
        """Return the share of right predictions, or 1 and 0 for each."""
        right = (Y_hat.argmax(axis=-1) == y).astype('float32')
        return right.mean() if averaged else right

    def uniform_loss(self, Y_hat: Any) -> Any:
        return -jax.nn.log_softmax(Y_hat).mean()

    def mirrored(self, X: Any) -> Any:
        return X[:, :, ::-1]

    def configure_optimizers(self):
        """Return minibatch stochastic gradient descent on all parameters."""
        return sgd(
            self.lr,
            momentum=self.asked('momentum') or None,
            weight_decay=self.asked('weight_decay') or None,
        )

    def rows(self, X_shape: tuple) -> list[summaries.Row]:
        X = jax.ShapeDtypeStruct(X_shape, 'float32')
        with explained(self, X, channels_last=True):
            return rows(self.net, X_shape)

    def scored(self, batch: tuple, test_flip: bool) -> tuple:
        X, y = batch
        Y_hat = self.test_scores(jnp.asarray(X), flip=test_flip)
        return np.asarray(y), np.asarray(jax.nn.softmax(Y_hat))

    def arrays(self) -> Arrays:
        if self.variables is None:
            if self.given and set(self.given) == set(self.shapes()):
                return dict(self.given)
            raise errors.NotDrawn
        arrays = trees.flat(self.variables)
        names = self.own_names().items()
        return {name: trees.to_common(arrays[own]) for name, own in names}

    def shapes(self) -> parameters.Shapes:
        if self.variables is not None:
            arrays = trees.flat(self.variables)
            names = self.own_names().items()
            return {n: trees.common_shape(arrays[own]) for n, own in names}
        try:
            shapes = parameter_shapes(self.arch, self.num_classes)
        except (AttributeError, TypeError, ValueError):
            raise ValueError(
                f'What parameters {type(self).__name__} has is not known '
                'before it has seen an image: call model(X) first.'
            ) from None
        loaded = {name: array.shape for name, array in self.given.items()}
        return {**shapes, **loaded}

    def loaded(self) -> Arrays:
        return self.given if self.variables is None else {}

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
            own: trees.from_common(arrays[name])
            for name, own in self.own_names().items()
            if name in arrays
        }
        self.variables = trees.nested({**trees.flat(self.variables), **found})

    def freeze(self) -> None:
        self.frozen = True

    def own_names(self):
        """Return name -> Flax's name, joined by dots, in layer order."""
        return canonical(self, self.order)

    def trained_names(self):
        """Return Flax's names of the parameters that training changes."""
        names = self.own_names()
        kept = last_layer(names) if self.frozen else names
        return [names[n] for n in kept if names[n].startswith('params.')]

    def set_precision(self, precision: str) -> None:
        """Let the convolutions of all blocks but the first round to it.

        With 'bfloat16' they round their input, their parameters
        and their output; parameters stay float32. On a CPU this is no faster:
        XLA multiplies in float32 what it has rounded.
        """
        if precision == self.precision:
            return
        self.net = in_precision(self.net, precision)
        self.precision, self.compiled = precision, None
