"""The trainer in JAX: what is compiled, Flax's modules, Optax's states.

What it shares with the other frameworks' is tested in `tests/trainer`.
"""

import numpy as np
import pytest

pytest.importorskip('flax')

import jax
import optax
import trainings
from flax import linen as nn
from jax import numpy as jnp
from trainings import ARCH, OPTIONS, assert_learned, assert_same, outcome

from d2l_vgg import jax as package
from d2l_vgg.jax import VGG, Classifier
from d2l_vgg.jax.parameters import named_leaves
from d2l_vgg.jax.training import sgd


def fit(model=None, **options):
    return trainings.fit(package, model, **options)


# ------------------------------------------------- what is compiled


def test_each_step_is_traced_but_once_for_each_size():
    """Whatever changes from step to step, it is not compiled anew."""
    traced = []

    class Watched(VGG):
        def training_step(self, batch):
            traced.append(len(batch[-1]))
            return super().training_step(batch)

    for schedule in 'constant', 'one_cycle':
        fit(Watched(ARCH), **{**OPTIONS, 'lr_schedule': schedule})
    assert sorted(traced) == [10, 10, 32, 32]


def test_what_is_plotted_keeps_its_order():
    """JAX sorts the keys of the dictionaries that a compiled step returns."""

    class Own(VGG):
        def validation_step(self, batch):
            super().validation_step(batch)
            self.plot('a', self.loss(self(batch[0]), batch[1]), train=False)

    trainer = fit(Own(ARCH), **OPTIONS)
    series = list(trainer.history.points)
    assert series[-3:] == ['val_loss', 'val_acc', 'val_a']


def test_a_readers_own_variables_outlive_a_training():
    """A step takes the memory of the variables before it."""
    model = VGG(ARCH, lr=0.05)
    fit(model, **OPTIONS)
    before = model.variables
    fit(model, max_epochs=1, **OPTIONS)
    assert np.isfinite(jax.tree.leaves(before)[0]).all()


# ------------------------------------------------- Optax


class Averaged(VGG):
    """With what is no parameter's in its state, and two traces."""

    def configure_optimizers(self):
        return optax.MultiSteps(
            optax.chain(optax.trace(0.5), optax.sgd(0.1, momentum=0.5)), 2
        )


def test_an_optimizer_of_several_steps_goes_on(tmp_path):
    path = tmp_path / 'checkpoint.safetensors'
    whole = fit(Averaged(ARCH))
    with pytest.raises(KeyboardInterrupt):
        fit(Averaged(ARCH), stop_at=14, checkpoint=path)
    resumed = fit(Averaged(ARCH), resume=True, checkpoint=path)
    assert_same(outcome(resumed), outcome(whole))


def test_the_velocity_holds_the_learning_rate():
    """Against the formula, in NumPy, with a rate that changes."""
    draw = np.random.RandomState(0)
    w, v = draw.randn(5), np.zeros(5)
    optim = sgd(1.0, momentum=0.8, weight_decay=0.1)
    params = {'a.w': jnp.array(w, 'float32')}
    state = optim.init(params)
    for lr in 0.5, 0.1, 0.01, 0.3:
        grad = draw.randn(5)
        state.hyperparams['learning_rate'] = jnp.float32(lr)
        grads = {'a.w': jnp.array(grad, 'float32')}
        updates, state = optim.update(grads, state, params)
        params = optax.apply_updates(params, updates)
        v = 0.8 * v - lr * (grad + 0.1 * w)
        w = w + v
        np.testing.assert_allclose(params['a.w'], w, rtol=1e-5)
        leaves = named_leaves(state, {'a.w': 'w'})
        kept = {name: leaf for name, leaf in leaves if name}
        np.testing.assert_allclose(kept['optimizer/w.momentum'], v, rtol=1e-5)
        assert list(kept) == ['optimizer/w.momentum']


# ------------------------------------------------- Flax


class Net(nn.Module):
    """A module of Flax's, written as in its own examples."""

    @nn.compact
    def __call__(self, X):
        X = nn.relu(nn.BatchNorm()(nn.Conv(4, (3, 3))(X)))
        X = nn.Dropout(0.5)(X.reshape(len(X), -1))
        return nn.Dense(10)(X)


class Own(Classifier):
    def __init__(self, lr=0.1):
        super().__init__()
        self.save_hyperparameters()
        self.net = Net()

    def configure_optimizers(self):
        return optax.sgd(self.lr)


def test_a_module_of_flaxs_trains(tmp_path):
    path = tmp_path / 'parameters.safetensors'
    model = Own()
    assert_learned(fit(model))
    model.save(path)
    other, X = Own(), jnp.ones((2, 28, 28, 1))
    with pytest.raises(ValueError, match=r'call model\(X\) first'):
        other.load(path)
    other(X)
    other.load(path)
    np.testing.assert_array_equal(
        other(X), model.predicted(model.variables, X)
    )
    before = dict(model.variables['batch_stats']['BatchNorm_0'])
    model(X)
    after = model.variables['batch_stats']['BatchNorm_0']
    np.testing.assert_array_equal(before['mean'], after['mean'])


def test_what_is_no_classifier_is_refused():
    with pytest.raises(ValueError, match='Net is no d2l_vgg.Classifier'):
        fit(Net())
