"""d2l's trainer for our models, and d2l's models for our trainer.

d2l's steps in JAX are handed the parameters, where those of our `Classifier`
find them in the model.
"""

from typing import Any

import flax
import jax

from d2l_vgg.jax.plotted import Plotted


class Steps:
    """The steps of one of our models in the form that d2l's trainer takes."""

    def __init__(self, model):
        self.model = model
        self.compiled_train = jax.jit(self.traced_train)
        self.compiled_validate = jax.jit(self.traced_validate)

    def training_step(self, params, batch, state):
        """Return what d2l's trainer goes on with: statistics, gradient."""
        variables = variables_of(params, state)
        grads, (changed, plotted) = self.compiled_train(
            variables, state.dropout_rng, batch
        )
        self.model.variables = variables
        plotted.hand_to(self.model)
        return (None, changed), grads

    def traced_train(self, variables, key, batch):
        model = self.model

        def loss_of(params):
            given = {**variables, 'params': params}
            with model.computing(given, key) as plotted:
                loss = type(model).training_step(model, batch)
                return loss, (model.variables, Plotted.of(plotted))

        return jax.grad(loss_of, has_aux=True)(variables['params'])

    def validation_step(self, params, batch, state):
        self.model.variables = variables_of(params, state)
        plotted = self.compiled_validate(self.model.variables, batch)
        plotted.hand_to(self.model)

    def traced_validate(self, variables, batch):
        model = self.model
        with model.computing(variables) as plotted:
            type(model).validation_step(model, batch)
            return Plotted.of(plotted)


def variables_of(params, state):
    """Return the variables of a network, from what d2l's trainer keeps."""
    if not state.batch_stats:
        return {'params': params}
    return {'params': params, 'batch_stats': state.batch_stats}


@flax.struct.dataclass
class State:
    """What d2l's models ask of the state of a training."""

    params: Any
    batch_stats: Any
    dropout_rng: Any
    apply_fn: Any = flax.struct.field(pytree_node=False)


class Foreign:
    """Mixed into `Classifier`: a model of d2l's, whose loss it takes.

    Args:
        module: the model, which stays as it is; its parameters are in
            `variables` here
    """

    def __init__(self, module):
        super().__init__(
            module.plot_train_per_epoch, module.plot_valid_per_epoch
        )
        self.module, self.net = module, in_mode(module, training=False)

    def training_step(self, batch):
        self.key, key = jax.random.split(self.key)
        module = in_mode(self.module, training=True)
        loss, changed = module.loss(
            self.variables['params'],
            batch[:-1],
            batch[-1],
            self.state(module, key),
        )
        self.variables = {**self.variables, **changed}
        self.plot('loss', loss, train=True)
        return loss

    def validation_step(self, batch):
        state = self.state(self.net, jax.random.key(0))
        given = self.variables['params'], batch[:-1], batch[-1], state
        loss, _ = self.net.loss(*given)
        self.plot('loss', loss, train=False)
        self.plot('acc', self.net.accuracy(*given), train=False)

    def state(self, module, key):
        return State(
            self.variables['params'],
            self.variables.get('batch_stats', {}),
            key,
            module.apply,
        )

    def configure_optimizers(self):
        return self.module.configure_optimizers()

    def plot(self, key, value, train):
        self.module.plot(key, value, train)


def in_mode(module, training):
    """Return a model of d2l's that is told whether it trains, if it asks."""
    if 'training' not in getattr(module, '__dataclass_fields__', ()):
        return module
    return module.clone(training=training)


def takes_steps_of_d2l(module):
    """Return whether a model is trained by the steps of d2l's classifiers."""
    return isinstance(module, flax.linen.Module) and all(
        getattr(type(module), name, Steps).__module__.startswith('d2l.')
        for name in ('training_step', 'validation_step')
    )
