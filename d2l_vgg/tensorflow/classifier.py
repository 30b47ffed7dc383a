"""A Keras classifier that can be compiled, rounded, predicted with and kept.

The names are those of the book. How it is trained and judged, `Trainer`
tells.
"""

from __future__ import annotations

import functools
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.layers import BatchNormalization, Conv2D

from d2l_vgg.networks import names, summaries
from d2l_vgg.tensorflow import layers
from d2l_vgg.tensorflow.parameters import layers_of, named_parameters
from d2l_vgg.tensorflow.sgd import SGD
from d2l_vgg.training import classifier, errors, inputs, module, parameters
from d2l_vgg.training.arrays import Arrays
from d2l_vgg.training.classifier import last_layer


class Classifier(classifier.Classifier, module.Module):
    """The base class of classification models.

    A subclass sets `net`, `lr` and, for the names of its parameters, `arch`.
    Its parameters are the variables of the Keras layers that are its
    attributes, and the variables that are so themselves.

    `training` tells whether a forward pass is one of training, for dropout
    and the like.
    """

    training = False
    graph = None
    frozen = False
    waiting = {}

    def __call__(self, *X, training=None):
        """Return the class scores, of shape (batch_size, num_classes).

        Without `training`, it is as the attribute says.
        """
        if training is None:
            training = self.training
        if not tf.executing_eagerly():  # A part of a larger graph
            return self.run(*X, training=training)
        self.build(*X)
        run = self.graph or self.run
        return run(*X, training=training)

    def run(self, *X, training):
        before, self.training = self.training, training
        try:
            with inputs.explained(self, X[0], channels_last=True):
                return self.forward(*X)
        finally:
            self.training = before

    def forward(self, X):
        return self.net(X, training=self.training)

    def build(self, X, *others):
        """Draw the parameters for such images, if they have not been.

        Those that have been loaded before wait to be taken up.

        Raises:
            inputs.WrongInput: `X` does not fit the network.
        """
        net = getattr(self, 'net', None)
        if isinstance(net, keras.layers.Layer) and not net.built:
            with inputs.explained(self, X, channels_last=True):
                net.build((None, *X.shape[1:]))
        if self.waiting:
            arrays, self.waiting = self.waiting, {}
            shapes = self.shapes()
            parameters.check(
                'the file', arrays, {name: shapes[name] for name in arrays}
            )
            self.load_arrays(arrays)

    def compile(self) -> None:
        """Compile `net`: its operations run as one graph, not one by one."""
        self.graph = compiled(self.run)

    def loss(self, Y_hat, y, averaged=True):
        """Return the cross-entropy, its mean over the minibatch if asked."""
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
            tf.cast(y, 'int32'), Y_hat
        )
        return tf.reduce_mean(losses) if averaged else losses

    def accuracy(self, Y_hat, y, averaged=True):
        """Return the share of right predictions, or which ones are right."""
        right = tf.argmax(Y_hat, axis=-1) == tf.cast(y, 'int64')
        right = tf.cast(right, 'float32')
        return tf.reduce_mean(right) if averaged else right

    def uniform_loss(self, Y_hat: Any) -> Any:
        return -tf.reduce_mean(tf.nn.log_softmax(Y_hat))

    def mirrored(self, X: Any) -> Any:
        return X[:, :, ::-1]

    def configure_optimizers(self):
        """Return minibatch stochastic gradient descent on all parameters."""
        return SGD(
            float(self.lr),
            momentum=float(self.asked('momentum')),
            coupled_weight_decay=self.asked('weight_decay'),
        )

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
            if isinstance(layer, BatchNormalization):
                layer.trainable = False  # So it keeps its statistics, too

    def set_precision(self, precision: str) -> None:
        policy = precision if precision == 'float32' else f'mixed_{precision}'
        net = getattr(self, 'net', None)
        blocks = [
            blk
            for blk in getattr(net, 'layers', [])[1:]
            if isinstance(blk, keras.Sequential)
            and any(isinstance(layer, Conv2D) for layer in blk.layers)
        ]
        errors.check_blocks(precision, blocks)
        for blk in blocks:
            for layer in [blk, *blk.layers]:
                layer.dtype_policy = policy

    def rows(self, X_shape: tuple) -> list[summaries.Row]:
        return layers.rows(self, tf.zeros(X_shape))

    def scored(self, batch: tuple, test_flip: bool) -> tuple:
        X, y = batch
        Y_hat = self.test_scores(X, flip=test_flip)
        return np.asarray(y), tf.nn.softmax(Y_hat).numpy()

    def arrays(self) -> Arrays:
        params = named_parameters(self)
        if params:
            return {name: p.read(p.variable) for name, p in params.items()}
        if self.waiting and set(self.waiting) == set(self.shapes()):
            return dict(self.waiting)
        raise errors.NotDrawn

    def shapes(self) -> parameters.Shapes:
        params = named_parameters(self)
        if params:
            return {name: p.shape for name, p in params.items()}
        # Keras makes the variables when it first sees the input
        if not hasattr(self, 'arch'):
            raise ValueError(
                'Parameters cannot be loaded before it is known how many '
                'there are: let the network see an image first, as in '
                'model(X).'
            )
        num_classes = getattr(self, 'num_classes', 10)
        shapes = names.parameter_shapes(self.arch, num_classes)
        loaded = {name: array.shape for name, array in self.waiting.items()}
        return {**shapes, **loaded}

    def loaded(self) -> Arrays:
        return self.waiting

    def load_arrays(self, arrays: Arrays) -> None:
        params = named_parameters(self)
        if not params:
            self.waiting = {**self.waiting, **arrays}
            return
        for name, array in arrays.items():
            params[name].write(params[name].variable, array)


def compiled(function):
    """Return `function` as one that runs its operations as a graph.

    Its Python code runs once for each shape of its arguments.
    """
    # TensorFlow counts the shapes that all functions of one code have seen,
    # and warns of many. A partial has no code, so each is counted alone
    return tf.function(functools.partial(function), autograph=False)
