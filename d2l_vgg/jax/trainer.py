"""The steps of the training loop in JAX; the loop is everyone's."""

from __future__ import annotations

import itertools
import os
from typing import Any

import jax
import numpy as np
import optax
from jax import numpy as jnp

from d2l_vgg.jax import optimizers, trees
from d2l_vgg.jax.classifier import Classifier
from d2l_vgg.jax.plotted import Plotted
from d2l_vgg.jax.workers import Team
from d2l_vgg.training import errors, trainer
from d2l_vgg.training.arrays import Arrays


class Trainer(trainer.Trainer):
    __doc__ = trainer.Trainer.__doc__
    Team = Team

    def find_device(self, num_gpus: int) -> Any:
        gpus = [d for d in jax.local_devices() if d.platform == 'gpu']
        errors.check_num_gpus(num_gpus, len(gpus), 'JAX')
        return (
            gpus[0]
            if num_gpus and gpus
            else jax.local_devices(backend='cpu')[0]
        )

    @property
    def on_cpu(self) -> bool:
        return self.device.platform == 'cpu'

    def capability(self) -> tuple:
        found = getattr(self.device, 'compute_capability', '0.0')
        return tuple(map(int, found.split('.')))

    def lack_of(self, precision: str) -> str:
        # XLA computes in it everywhere
        return '' if precision == 'bfloat16' else super().lack_of(precision)

    def no_gain(self, precision: str) -> str:
        if self.on_cpu and precision == 'bfloat16':
            return 'is no faster in JAX on a processor'
        return super().lack_of(precision)

    def seed_device(self, seed: int) -> None:
        # A number of NumPy's goes into a compiled step like an array
        self.seed_of_step = np.uint32(seed)

    def prepare_model(self, model: Any) -> int:
        errors.check_is_ours(model, Classifier)
        model.set_precision(self.precision)
        model.compile()
        for batch in itertools.islice(self.train_dataloader, 1):
            few = [array[:1] for array in self.prepare_batch(batch)]
            if model.variables is None:
                model.draw(jax.random.key(self.seed_of_step), *few[:-1])
            # Copied, as each step takes the memory of those before
            model.variables = self.on_device(model.variables)
            Y_hat = model(*few[:-1])
        self.optim = model.configure_optimizers()
        params, _ = self.divided(model.variables)
        self.state = self.on_device(self.optim.init(params))
        found = optimizers.hyperparams(self.state)
        heeded = {
            name: found.get(name) == np.float32(getattr(self, name))
            for name in ('momentum', 'weight_decay')
        }
        heeded['lr_schedule'] = 'learning_rate' in found
        errors.check_heeded(self, heeded)
        self.compiled_train = jax.jit(
            self.traced_train, donate_argnums=(0, 1)
        )
        self.compiled_gradients = jax.jit(self.traced_gradients)
        self.compiled_update = jax.jit(
            self.traced_update, donate_argnums=(0, 1)
        )
        self.compiled_validate = jax.jit(self.traced_validate)
        return Y_hat.shape[-1]

    def on_device(self, tree):
        return jax.tree.map(
            lambda a: jax.device_put(jnp.array(a), self.device), tree
        )

    def prepare_batch(self, batch):
        """Return the arrays of `batch` on the device."""
        return jax.device_put([as_array(a) for a in batch], self.device)

    def traced_train(self, variables, state, seed, lr, batch):
        """Return variables and state after one update, and what was plotted.

        This is what JAX compiles; it changes nothing.
        """
        grads, others, plotted = self.traced_gradients(variables, seed, batch)
        return (
            *self.traced_update(variables, state, lr, grads, others),
            plotted,
        )

    def traced_gradients(self, variables, seed, batch):
        """Return the gradients, the running statistics after, and plots."""
        model = self.model
        params, others = self.divided(variables)

        def loss_of(params):
            given = trees.nested({**others, **params})
            with model.computing(given, jax.random.key(seed)) as plotted:
                loss = model.training_step(batch)
                return loss, (model.variables, Plotted.of(plotted))

        grads, (changed, plotted) = jax.grad(loss_of, has_aux=True)(params)
        return grads, self.divided(changed)[1], plotted

    def traced_update(self, variables, state, lr, grads, others):
        """Return variables and state after a step against `grads`."""
        params, _ = self.divided(variables)
        grads = optimizers.clip(grads, self.gradient_clip_val)
        state = optimizers.with_lr(state, lr)
        updates, state = self.optim.update(grads, state, params)
        params = optax.apply_updates(params, updates)
        return trees.nested({**others, **params}), state

    def divided(self, variables):
        """Return what the gradient changes of `variables`, and the others.

        Both are dictionaries by Flax's names, parts joined by dots.
        """
        others = trees.flat(variables)
        names = self.model.trained_names()
        return {name: others.pop(name) for name in names}, others

    def traced_validate(self, variables, batch):
        """Return what the model plots of this minibatch; compiled, too."""
        with self.model.computing(variables) as plotted:
            self.model.validation_step(batch)
            return Plotted.of(plotted)

    def train_step(self, batch: tuple, lr: float | None = None) -> None:
        model = self.model
        seed = self.seed_of_step
        rate = None if lr is None else np.float32(lr)
        batch = self.prepare_batch(batch)
        if self.workers.count == 1:
            model.variables, self.state, plotted = self.compiled_train(
                model.variables, self.state, seed, rate, batch
            )
        else:
            grads, others, plotted = self.compiled_gradients(
                model.variables, seed, batch
            )
            model.variables, self.state = self.compiled_update(
                model.variables,
                self.state,
                rate,
                *self.average(grads, others),
            )
        plotted.hand_to(model)

    def average(self, *trees):
        """Return the mean of all workers' gradients and statistics."""
        arrays, form = jax.tree.flatten(trees)
        return jax.tree.unflatten(form, self.workers.mean(arrays))

    def validation_step(self, batch: tuple) -> None:
        plotted = self.compiled_validate(
            self.model.variables, self.prepare_batch(batch)
        )
        plotted.hand_to(self.model)

    def forward(self, batch: tuple) -> Any:
        return self.model(*self.prepare_batch(batch)[:-1])

    def labels(self, batch: tuple) -> Any:
        y = batch[-1]
        on_gpu = isinstance(y, jax.Array) and y.device.platform == 'gpu'
        return None if on_gpu else np.asarray(y)

    def detach(self, value: Any) -> Any:
        return value

    def wait_for(self, value: Any) -> None:
        jax.block_until_ready(value)

    def arrays(self) -> Arrays:
        slots = optimizers.arrays(self.state, self.names_by_own())
        return {**self.model.arrays(), **slots}

    def load_arrays(self, arrays: Arrays) -> None:
        self.model.load_arrays(arrays)
        self.model.variables = self.on_device(self.model.variables)
        self.state = self.on_device(
            optimizers.with_arrays(
                self.state,
                self.names_by_own(),
                arrays,
                num_updates=self.train_batch_idx,
            )
        )

    def names_by_own(self):
        return {own: name for name, own in self.model.own_names().items()}

    def threads(self) -> object:
        """Return the number of XLA's threads, which it takes from here."""
        if 'multi_thread_eigen=false' in os.environ.get('XLA_FLAGS', ''):
            return 1
        nproc = os.environ.get('NPROC', '')
        return int(nproc) if nproc.isdigit() else len(os.sched_getaffinity(0))


def as_array(array):
    """Return what JAX takes for an array, of another framework's as well."""
    return array if isinstance(array, jax.Array) else np.asarray(array)
