"""Training in TensorFlow: what a classifier computes, a trainer's steps.

The loop around the steps is that of all frameworks, `d2l_vgg.training.loop`,
and `Trainer(...)` takes the arguments of `d2l_vgg.training.preparation`.
"""

from __future__ import annotations

import functools
import itertools
import os
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.layers import Conv2D, Dropout

from d2l_vgg.networks import summaries
from d2l_vgg.tensorflow.parameters import (
    ModelArrays,
    TrainerArrays,
    innermost,
    layers_of,
    seed_initializers,
)
from d2l_vgg.training import classifier, errors, loop, module, precisions


class Classifier(ModelArrays, classifier.Classifier, module.Module):
    """The base class of classification models.

    A subclass sets `net`, `lr` and, for the names of its parameters, `arch`.
    Its parameters are the variables of the Keras layers that are its
    attributes, and the variables that are so themselves.

    `training` tells whether a forward pass trains, for dropout and the like.
    """

    net: Any
    training = False
    compiled = None

    def __call__(self, *X, training=None):
        """Return the class scores, of shape (batch_size, num_classes).

        Without `training`, it is as the attribute says.

        Raises:
            inputs.WrongInput: the first of `X` does not fit the network.
        """
        self.check_input(X[0], channels_last=True)
        if training is None:
            training = self.training
        if not tf.executing_eagerly():  # A part of a larger graph
            return self.run(*X, training=training)
        self.build(*X)
        run = self.compiled or self.run
        return run(*X, training=training)

    def run(self, *X, training):
        before, self.training = self.training, training
        try:
            return self.forward(*X)
        finally:
            self.training = before

    def forward(self, X):
        return self.net(X, training=self.training)

    def loss(self, Y_hat, y, averaged=True):
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
            tf.cast(y, 'int32'), Y_hat
        )
        return tf.reduce_mean(losses) if averaged else losses

    def accuracy(self, Y_hat, y, averaged=True):
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
            momentum=float(self.trainer_option('momentum')),
            coupled_weight_decay=self.trainer_option('weight_decay'),
        )

    def build(self, X, *others):
        """Draw the parameters for such images, if they have not been.

        Those that have been loaded before wait to be taken up.
        """
        net = getattr(self, 'net', None)
        if isinstance(net, keras.layers.Layer) and not net.built:
            net.build((None, *X.shape[1:]))
        if self.waiting:
            self.take_up()

    def compile(self) -> None:
        """Compile `net`: its operations run as one graph, not one by one."""
        self.compiled = compiled(self.run)

    def set_precision(self, precision: str) -> None:
        net = getattr(self, 'net', None)
        # Refused where other frameworks have nothing to round, too
        if precisions.blocks_of(net, precision, keras.Sequential, Conv2D):
            compute_in(precision, net)
            innermost(net)[-1].dtype_policy = 'float32'  # As scores are

    def rows(self, X_shape: tuple) -> list[summaries.Row]:
        X = tf.zeros(X_shape)
        self(X)  # Draws the parameters, and tells what does not fit
        return summaries.rows(
            self.net,
            X,
            keras.Sequential,
            lambda layer: [tuple(v.shape) for v in layer.trainable_weights],
            channels_last=True,
        )

    def scored(self, batch: tuple, test_flip: bool) -> tuple:
        X, y = batch
        Y_hat = self.test_scores(X, flip=test_flip)
        return np.asarray(y), tf.nn.softmax(Y_hat).numpy()


class SGD(keras.optimizers.SGD):
    """Keras's gradient descent, with weight decay as part of the gradient.

    Keras's own shrinks the parameters beside it, so that it has no momentum.
    Here `coupled_weight_decay` times a parameter is added to its gradient.
    """

    def __init__(self, learning_rate, momentum=0.0, coupled_weight_decay=0.0):
        super().__init__(learning_rate, momentum)
        self.coupled_weight_decay = coupled_weight_decay

    def update_step(self, gradient, variable, learning_rate):
        if self.coupled_weight_decay:
            gradient = gradient + self.coupled_weight_decay * variable
        super().update_step(gradient, variable, learning_rate)


class Trainer(TrainerArrays, loop.Trainer):
    __doc__ = loop.Trainer.__doc__
    framework = 'tensorflow'
    random_states: Any = ()

    def train_step(self, batch: tuple, lr: float | None = None) -> dict:
        if lr is not None:
            self.optim.learning_rate = lr
        with tf.device(self.device):
            return self.compiled_train(batch)

    def train(self, batch):
        """Make one step; return what the model has measured. Compiled."""
        self.model.training = True
        try:
            with tf.GradientTape() as tape:
                loss = self.model.training_step(batch)
        finally:
            self.model.training = False
        grads = tape.gradient(loss, self.variables)
        grads = self.clip_gradients(self.gradient_clip_val, grads)
        self.optim.apply_gradients(zip(grads, self.variables))
        return self.take_metrics()

    def clip_gradients(self, grad_clip_val, grads):
        """Scale the gradient down to the norm `grad_clip_val`, if longer."""
        if grad_clip_val <= 0:
            return grads
        squares = tf.stack([tf.reduce_sum(grad**2) for grad in grads])
        norm = tf.sqrt(tf.reduce_sum(squares))
        scale = tf.minimum(grad_clip_val / norm, 1)
        return [grad * scale for grad in grads]

    def validation_step(self, batch: tuple) -> dict:
        with tf.device(self.device):
            return self.compiled_validate(batch)

    def validate(self, batch):
        """Return what the model measures on a minibatch; compiled, too."""
        self.model.validation_step(batch)
        return self.take_metrics()

    def forward(self, batch: tuple) -> Any:
        with tf.device(self.device):
            return self.model(*batch[:-1])

    def prepare_model(self, model: Any) -> int:
        errors.check_is_ours(model, Classifier)
        model.set_precision(self.precision)
        # Keras draws parameters when it first sees the shape of the input
        seed_initializers(model, self.seed)
        for batch in itertools.islice(self.train_dataloader, 1):
            Y_hat = self.forward(tuple(a[:1] for a in batch))
        model.compile()
        self.random_states = [
            variable
            for layer in layers_of(model)
            for variable in getattr(layer, 'variables', ())
            if variable.name == 'seed_generator_state'
        ]
        self.variables = model.trainable_variables
        self.optim = model.configure_optimizers()
        if isinstance(self.optim, keras.optimizers.Optimizer):
            self.optim.build(self.variables)
            # There is nothing to add up; by adding, TensorFlow would keep
            # the graph of a step, with all parameters, to the process's end
            self.optim._all_reduce_sum_gradients = list
        names = 'weight_decay', 'coupled_weight_decay'
        decays = [getattr(self.optim, name, 0) for name in names]
        supported = {
            'momentum': getattr(self.optim, 'momentum', 0) == self.momentum,
            'weight_decay': self.weight_decay in decays,
            'lr_schedule': hasattr(self.optim, 'learning_rate'),
        }
        errors.check_supported(self, supported)
        self.compiled_train = compiled(self.train)
        self.compiled_validate = compiled(self.validate)
        return Y_hat.shape[-1]

    def find_device(self, num_gpus: int) -> Any:
        found = len(tf.config.list_physical_devices('GPU'))
        errors.check_num_gpus(num_gpus, found, 'TensorFlow')
        return '/GPU:0' if num_gpus and found else '/CPU:0'

    @property
    def on_cpu(self) -> bool:
        return self.device == '/CPU:0'

    def capability(self) -> tuple:
        gpu = tf.config.list_physical_devices('GPU')[0]
        details = tf.config.experimental.get_device_details(gpu)
        return details.get('compute_capability', (0, 0))

    def seed_device(self, seed: int) -> None:
        # Keras counts the draws of each layer in a variable of its own
        for i, state in enumerate(self.random_states):
            state.assign([seed, i << 32])

    def threads(self):
        return (
            tf.config.threading.get_intra_op_parallelism_threads()
            or int(os.environ.get('TF_NUM_INTRAOP_THREADS') or 0)
            or os.cpu_count()
        )

    def labels(self, batch: tuple) -> Any:
        return np.asarray(batch[-1]) if self.on_cpu else None

    def wait_for(self, value: Any) -> None:
        value.numpy()


def compute_in(precision, layer):
    """Let a layer, and those inside it, compute in this type."""
    # Dropout draws as in float32; in bfloat16, multiples of 1 / 128
    rounds = precision != 'float32' and not isinstance(layer, Dropout)
    layer.dtype_policy = f'mixed_{precision}' if rounds else 'float32'
    if isinstance(layer, keras.Sequential):
        inside = layer.layers
        # Built, it would go on with casting its input as it did
        for _ in range(len(inside) + layer.built):
            layer.pop(rebuild=False)
        for child in inside:
            compute_in(precision, child)
            layer.add(child, rebuild=False)


def compiled(function):
    """Return `function` as one that runs its operations as a graph.

    Its Python code runs once for each shape of its arguments.
    """
    # TensorFlow counts the shapes that all functions of one code have seen,
    # and warns of many. A partial has no code, so each is counted alone
    return tf.function(functools.partial(function), autograph=False)
