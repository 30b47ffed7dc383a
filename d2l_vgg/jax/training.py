"""Training in JAX: what a classifier computes, and a trainer's steps.

A Flax module only describes a network, and cannot change. So a `Classifier`
is none, but holds one, and the `variables` that it computes with. `Trainer`
compiles the steps: JAX calls them once, with arrays whose numbers are not
there yet, and repeats what they have done. The loop around the steps is that
of all frameworks, `d2l_vgg.training.loop`, and `Trainer(...)` takes the
arguments of `d2l_vgg.training.preparation`.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
import optax
from flax import linen as nn
from flax.core import DenyList
from jax import numpy as jnp

from d2l_vgg import files, machine
from d2l_vgg.jax import parameters as trees
from d2l_vgg.jax.layers import mode
from d2l_vgg.jax.parameters import ModelArrays, TrainerArrays
from d2l_vgg.jax.workers import ProcessGroup
from d2l_vgg.networks import summaries
from d2l_vgg.training import classifier, errors, loop, module, precisions


class Classifier(ModelArrays, classifier.Classifier, module.Module):
    """The base class of classification models.

    A subclass sets `net`, a Flax module that returns scores, and `lr`.
    """

    net: Any
    key = None  # What dropout is drawn from; without, the model predicts
    compiled, precision = None, 'float32'

    def __setattr__(self, name, value):
        if name == 'net' and not isinstance(value, nn.Module):
            raise ValueError(
                f'net is one of {type(value).__module__}, but it has to be a '
                'module of flax.linen: write it with those.'
            )
        super().__setattr__(name, value)

    def __call__(self, *inputs):
        return self.forward(*inputs)

    def forward(self, *inputs):
        """Return the class scores, of shape (batch_size, num_classes).

        Raises:
            WrongInput: the first of `inputs` does not fit the network.
        """
        self.check_input(inputs[0], channels_last=True)
        if self.variables is None:
            self.draw(0, *inputs)
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

    @contextlib.contextmanager
    def computing(self, variables: dict, key: Any = None) -> Iterator[None]:
        """In this block, compute with `variables`, and train with `key`."""
        before = self.variables, self.key
        self.variables, self.key = variables, key
        try:
            yield
        finally:
            self.variables, self.key = before

    def loss(self, Y_hat, y, averaged=True):
        loss = optax.softmax_cross_entropy_with_integer_labels(Y_hat, y)
        return loss.mean() if averaged else loss

    def accuracy(self, Y_hat, y, averaged=True):
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
            momentum=self.trainer_option('momentum') or None,
            weight_decay=self.trainer_option('weight_decay') or None,
        )

    def compile(self) -> None:
        if self.compiled is None:
            self.compiled = jax.jit(self.predicted)

    def set_precision(self, precision: str) -> None:
        """Let the convolutions of all blocks but the first round to it.

        With 'bfloat16' they round their input, their parameters and their
        output; parameters stay float32. On a CPU this is no faster: XLA
        multiplies in float32 what it has rounded.
        """
        if precision == self.precision:
            return
        blocks = precisions.blocks_of(
            self.net, precision, nn.Sequential, nn.Conv
        )
        # In float32, a layer takes the type of its input and its parameters
        dtype = None if precision == 'float32' else jnp.dtype(precision)

        def in_precision(layer):
            if isinstance(layer, nn.Conv):
                return layer.clone(dtype=dtype)
            return layer

        self.net = nn.Sequential(
            [
                nn.Sequential([in_precision(layer) for layer in blk.layers])
                if any(blk is other for other, _ in blocks)
                else blk
                for blk in self.net.layers
            ]
        )
        self.precision, self.compiled = precision, None

    def rows(self, X_shape: tuple) -> list[summaries.Row]:
        found = []

        def weights(layer):
            if not isinstance(layer, nn.Module):
                return None
            params = layer.variables.get('params', {})
            return [array.shape for array in jax.tree.leaves(params)]

        def run(X):  # Nothing is computed: only the shapes count
            with mode(train=False):
                net = self.net.bind(self.net.init(jax.random.key(0), X))
                found.extend(
                    summaries.rows(net, X, nn.Sequential, weights, True)
                )

        X = jax.ShapeDtypeStruct(X_shape, 'float32')
        self.check_input(X, channels_last=True)
        jax.eval_shape(run, X)
        return found

    def scored(self, batch: tuple, test_flip: bool) -> tuple:
        X, y = batch
        Y_hat = self.test_scores(jnp.asarray(X), flip=test_flip)
        return np.asarray(y), np.asarray(jax.nn.softmax(Y_hat))


def keep_compiled():
    """Keep what JAX compiles for the next run, unless the reader has chosen.

    JAX names them by processor, GPU and versions, too.
    """
    if jax.config.jax_compilation_cache_dir is None:
        folder = files.cache_folder('jax')
        jax.config.update('jax_compilation_cache_dir', folder)
        # JAX's own second is more than most programs of a small network take
        jax.config.update('jax_persistent_cache_min_compile_time_secs', 0.1)


@optax.inject_hyperparams
def sgd(learning_rate, momentum=None, weight_decay=None):
    """Return gradient descent whose velocity has the learning rate inside.

    As in the other frameworks; in `optax.sgd` it is outside, which is another
    thing as soon as it changes. Optax's `inject_hyperparams` makes it a part
    of the state, where a schedule can set it.
    """
    steps = [optax.scale_by_learning_rate(learning_rate)]
    if weight_decay is not None:
        steps.insert(0, optax.add_decayed_weights(weight_decay))
    if momentum is not None:
        steps.append(optax.trace(momentum))
    return optax.chain(*steps)


class Trainer(TrainerArrays, loop.Trainer):
    __doc__ = loop.Trainer.__doc__
    framework = 'jax'
    ProcessGroup = ProcessGroup

    def train_step(self, batch: tuple, lr: float | None = None) -> dict:
        model = self.model
        # A number of NumPy's goes into a compiled step like an array
        rate = None if lr is None else np.float32(lr)
        arguments = self.seed_of_step, self.prepare_batch(batch)
        if self.workers.count == 1:
            model.variables, self.state, metrics = self.compiled_train(
                model.variables, self.state, rate, *arguments
            )
            return metrics
        grads, others, metrics = self.compiled_gradients(
            model.variables, *arguments
        )
        arrays, form = jax.tree.flatten((grads, others))
        means = jax.tree.unflatten(form, self.workers.mean(arrays))
        model.variables, self.state = self.compiled_update(
            model.variables, self.state, rate, *means
        )
        return metrics

    def train(self, variables, state, lr, seed, batch):
        """Return variables and state after one update, and the metrics.

        This is what JAX compiles; it changes nothing.
        """
        grads, others, metrics = self.gradients(variables, seed, batch)
        return *self.update(variables, state, lr, grads, others), metrics

    def gradients(self, variables, seed, batch):
        """Return gradients, the running statistics after, and metrics."""
        model = self.model
        params, others = self.divided(variables)

        def loss_of(params):
            given = trees.nested({**others, **params})
            with model.computing(given, jax.random.key(seed)):
                loss = model.training_step(batch)
                return loss, (model.variables, self.take_metrics())

        grads, (changed, metrics) = jax.grad(loss_of, has_aux=True)(params)
        return grads, self.divided(changed)[1], metrics

    def update(self, variables, state, lr, grads, others):
        """Return variables and state after a step against `grads`."""
        params, _ = self.divided(variables)
        grads = self.clip_gradients(self.gradient_clip_val, grads)
        if lr is not None:
            state = state._replace(
                hyperparams={**state.hyperparams, 'learning_rate': lr}
            )
        updates, state = self.optim.update(grads, state, params)
        params = optax.apply_updates(params, updates)
        return trees.nested({**others, **params}), state

    def clip_gradients(self, grad_clip_val, grads):
        """Scale the gradient down to the norm `grad_clip_val`, if longer."""
        if not grad_clip_val:
            return grads
        norm = jnp.sqrt(sum((grad**2).sum() for grad in grads.values()))
        scale = jnp.minimum(grad_clip_val / norm, 1)
        return {name: grad * scale for name, grad in grads.items()}

    def divided(self, variables):
        """Return what the gradient changes of `variables`, and the others.

        Both are dictionaries by Flax's names, parts joined by dots.
        """
        others = trees.flat(variables)
        names = self.model.trained_names()
        return {name: others.pop(name) for name in names}, others

    def validation_step(self, batch: tuple) -> dict:
        return self.compiled_validate(
            self.model.variables, self.prepare_batch(batch)
        )

    def validate(self, variables, batch):
        """Return what the model measures on a minibatch; compiled, too."""
        with self.model.computing(variables):
            self.model.validation_step(batch)
        return self.take_metrics()

    def forward(self, batch: tuple) -> Any:
        return self.model(*self.prepare_batch(batch)[:-1])

    def prepare_batch(self, batch):
        """Return arrays, maybe another framework's, on the device."""
        arrays = [
            each if isinstance(each, jax.Array) else np.asarray(each).copy()
            for each in batch
        ]
        return jax.device_put(arrays, self.device)

    def prepare_model(self, model: Any) -> int:
        errors.check_is_ours(model, Classifier)
        model.set_precision(self.precision)
        model.compile()
        for batch in itertools.islice(self.train_dataloader, 1):
            few = self.prepare_batch([np.asarray(a)[:1] for a in batch])
            if model.variables is None:
                model.draw(self.seed_of_step, *few[:-1])
            # Copied, as each step takes the memory of those before
            model.variables = self.on_device(model.variables)
            Y_hat = jax.eval_shape(model, *few[:-1])
        self.optim = model.configure_optimizers()
        params, _ = self.divided(model.variables)
        self.state = self.on_device(jax.jit(self.optim.init)(params))
        found = jax.device_get(getattr(self.state, 'hyperparams', {}))
        supported = {
            name: found.get(name) == np.float32(getattr(self, name))
            for name in ('momentum', 'weight_decay')
        }
        supported['lr_schedule'] = 'learning_rate' in found
        errors.check_supported(self, supported)
        self.compiled_train = jax.jit(self.train, donate_argnums=(0, 1))
        self.compiled_gradients = jax.jit(self.gradients)
        self.compiled_update = jax.jit(self.update, donate_argnums=(0, 1))
        self.compiled_validate = jax.jit(self.validate)
        return Y_hat.shape[-1]

    def find_device(self, num_gpus: int) -> Any:
        keep_compiled()
        gpus = [d for d in jax.local_devices() if d.platform == 'gpu']
        errors.check_num_gpus(num_gpus, len(gpus), 'JAX')
        if num_gpus and gpus:
            return gpus[0]
        return jax.local_devices(backend='cpu')[0]

    @property
    def on_cpu(self) -> bool:
        return self.device.platform == 'cpu'

    def capability(self) -> tuple:
        found = getattr(self.device, 'compute_capability', '0.0')
        return tuple(map(int, found.split('.')))

    def unsupported_reason(self, precision: str) -> str:
        return ''  # XLA computes in all of them everywhere

    def no_gain(self, precision: str) -> str:
        if self.on_cpu and precision == 'bfloat16':
            return 'is no faster in JAX on a processor'
        return super().unsupported_reason(precision)

    def seed_device(self, seed: int) -> None:
        self.seed_of_step = np.uint32(seed)

    def threads(self) -> object:
        if 'multi_thread_eigen=false' in os.environ.get('XLA_FLAGS', ''):
            return 1
        nproc = os.environ.get('NPROC', '')
        return int(nproc) if nproc.isdigit() else len(machine.processors())

    def labels(self, batch: tuple) -> Any:
        y = batch[-1]
        on_gpu = isinstance(y, jax.Array) and y.device.platform == 'gpu'
        return None if on_gpu else np.asarray(y)

    def wait_for(self, value: Any) -> None:
        jax.block_until_ready(value)
