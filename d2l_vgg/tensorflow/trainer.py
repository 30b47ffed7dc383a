"""The steps of the training loop in TensorFlow; the loop is everyone's."""

from __future__ import annotations

import contextlib
import itertools
import os
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from d2l_vgg.tensorflow.classifier import Classifier, compiled
from d2l_vgg.tensorflow.parameters import (
    Parameter,
    named_parameters,
    random_states,
    seed_initializers,
)
from d2l_vgg.tensorflow.workers import Team
from d2l_vgg.training import errors, trainer
from d2l_vgg.training.arrays import Arrays
from d2l_vgg.training.checkpoint import optimizer_name


class Trainer(trainer.Trainer):
    __doc__ = trainer.Trainer.__doc__
    Team = Team

    random_states = ()

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

    def prepare_model(self, model: Any) -> int:
        errors.check_is_ours(model, Classifier)
        model.set_precision(self.precision)
        # Keras draws parameters when it first sees the shape of the input
        seed_initializers(model, self.seed)
        for batch in itertools.islice(self.train_dataloader, 1):
            Y_hat = self.forward(tuple(a[:1] for a in batch))
        model.compile()
        self.random_states = random_states(model)
        self.optim = model.configure_optimizers()
        if hasattr(self.optim, 'build'):
            self.optim.build(model.trainable_variables)
        decays = [
            getattr(self.optim, name, 0)
            for name in ('weight_decay', 'coupled_weight_decay')
        ]
        errors.check_heeded(
            self,
            {
                'momentum': getattr(self.optim, 'momentum', 0)
                == self.momentum,
                'weight_decay': self.weight_decay in decays,
                'lr_schedule': hasattr(self.optim, 'learning_rate'),
            },
        )
        self.compiled_update = compiled(self.update)
        self.compiled_gradients = compiled(self.gradients)
        self.compiled_follow = compiled(self.follow)
        self.compiled_validate = compiled(self.validate)
        return Y_hat.shape[-1]

    def train_step(self, batch: tuple, lr: float | None = None) -> None:
        if lr is not None:
            self.optim.learning_rate = lr
        with tf.device(self.device):
            if self.workers.count == 1:
                self.hand_on(self.compiled_update(batch))
                return
            grads, values = self.compiled_gradients(batch)
            self.compiled_follow(self.average(grads))
            self.hand_on(values)

    def average(self, grads):
        """Take the mean of all workers' gradients and running statistics."""
        params = named_parameters(self.model).items()
        statistics = [p.variable for n, p in params if 'running_' in n]
        means = self.workers.mean([*grads, *statistics])
        for variable, mean in zip(statistics, means[len(grads) :]):
            variable.assign(mean)
        return means[: len(grads)]

    def update(self, batch):
        """Make one step, and return what the model has plotted."""
        grads, values = self.gradients(batch)
        self.follow(grads)
        return values

    def gradients(self, batch):
        """Return the gradients of a minibatch, and what was plotted."""
        variables = self.model.trainable_variables
        self.model.training = True
        try:
            with plotted(self.model) as values, tf.GradientTape() as tape:
                loss = self.model.training_step(batch)
        finally:
            self.model.training = False
        return tape.gradient(loss, variables), values

    def follow(self, grads):
        """Make one step against the gradients."""
        grads = self.clip_gradients(self.gradient_clip_val, grads)
        variables = self.model.trainable_variables
        self.optim.apply_gradients(zip(grads, variables))

    def clip_gradients(self, grad_clip_val, grads):
        """Scale the gradient down to the norm `grad_clip_val`, if longer."""
        if grad_clip_val <= 0:
            return grads
        squares = tf.stack([tf.reduce_sum(grad**2) for grad in grads])
        norm = tf.sqrt(tf.reduce_sum(squares))
        scale = tf.minimum(grad_clip_val / norm, 1)
        return [grad * scale for grad in grads]

    def validation_step(self, batch: tuple) -> None:
        with tf.device(self.device):
            self.hand_on(self.compiled_validate(batch))

    def validate(self, batch):
        with plotted(self.model) as values:
            self.model.validation_step(batch)
        return values

    def hand_on(self, values):
        """Let the model plot what its compiled step has returned."""
        for (key, train), value in values.items():
            self.model.plot(key, value, train)

    def forward(self, batch: tuple) -> Any:
        with tf.device(self.device):
            return self.model(*batch[:-1])

    def labels(self, batch: tuple) -> Any:
        return np.asarray(batch[-1]) if self.on_cpu else None

    def detach(self, value: Any) -> Any:
        return value

    def wait_for(self, value: Any) -> None:
        value.numpy()

    def arrays(self) -> Arrays:
        found = self.variables_by_name()
        return {name: layout.read(kept) for name, layout, kept in found}

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
            trained = {id(v) for v in self.model.trainable_variables}
            trained = {
                n: p for n, p in params.items() if id(p.variable) in trained
            }
            for (name, param), variable in zip(trained.items(), kept):
                slot = optimizer_name(name, 'momentum')
                found.append((slot, param, variable))
            return found
        for i, variable in enumerate(kept):
            plain = Parameter(variable, image=(), turned=False)
            slot = optimizer_name('all', f'state{i}')
            found.append((slot, plain, variable))
        return found

    def threads(self):
        return (
            tf.config.threading.get_intra_op_parallelism_threads()
            or int(os.environ.get('TF_NUM_INTRAOP_THREADS') or 0)
            or os.cpu_count()
        )


@contextlib.contextmanager
def plotted(model):
    """Give a dictionary of what the model plots within the body.

    A step that is compiled runs once; these are the outputs of its graph.
    """
    values, own = {}, vars(model).pop('plot', None)
    model.plot = lambda key, value, train: values.update(
        {(key, train): value}
    )
    try:
        yield values
    finally:
        del model.plot
        if own is not None:
            model.plot = own
