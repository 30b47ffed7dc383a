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
from flax import nnx
from jax import numpy as jnp
from jax.experimental.compilation_cache import compilation_cache
from trainings import ARCH, OPTIONS, assert_learned, assert_same, outcome

from d2l_vgg import jax as package
from d2l_vgg.jax import VGG, Classifier


def fit(model=None, **options):
    return trainings.fit(package, model, **options)


def test_each_step_is_traced_but_once_for_each_size():
    """Whatever changes from step to step, it is not compiled again."""
    traced = []

    class Watched(VGG):
        def training_step(self, batch):
            traced.append(len(batch[-1]))
            return super().training_step(batch)

    for schedule in 'constant', 'one_cycle':
        fit(Watched(ARCH), **{**OPTIONS, 'lr_schedule': schedule})
    assert sorted(traced) == [10, 10, 32, 32]


def test_a_readers_own_variables_outlive_a_training():
    """A step takes the memory of the variables before it."""
    model = VGG(ARCH, lr=0.05)
    fit(model, **OPTIONS)
    before = model.variables
    fit(model, max_epochs=1, **OPTIONS)
    assert np.isfinite(jax.tree.leaves(before)[0]).all()


def test_a_minibatch_has_memory_of_its_own():
    """JAX shares that of NumPy where it is aligned, whatever it is told."""
    memory = np.zeros(1040, 'float32')
    start = -memory.ctypes.data % 64 // 4
    X = memory[start : start + 1024]
    (found,) = package.Trainer(1, display='none').prepare_batch([X])
    X[:] = 1
    assert found.max() == 0


class Net(nn.Module):
    """A module of Flax's, written as in its own examples."""

    @nn.compact
    def __call__(self, X):
        X = nn.relu(nn.BatchNorm()(nn.Conv(4, (3, 3))(X)))
        X = nn.Dropout(0.5)(X.reshape(len(X), -1))
        return nn.Dense(10)(X)


def test_a_model_of_nnx_is_refused():
    model = Classifier()
    with pytest.raises(
        ValueError, match='^net is one of flax.nnx.* flax.linen'
    ):
        model.net = nnx.Linear(784, 10, rngs=nnx.Rngs(0))


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
    with pytest.raises(ValueError, match='before they are drawn'):
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


def test_a_kept_program_computes_the_bits_of_a_compiled_one(
    monkeypatch, tmp_path
):
    before = jax.config.jax_compilation_cache_dir  # That of all tests
    monkeypatch.setenv('XDG_CACHE_HOME', '/dev/null')
    jax.config.update('jax_compilation_cache_dir', None)
    compilation_cache.reset_cache()
    events, hits = [], []
    jax.monitoring.register_event_listener(lambda n, **_: events.append(n))
    try:
        jax.clear_caches()
        expected = outcome(fit(**OPTIONS))
        assert jax.config.jax_compilation_cache_dir is None
        monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
        for _ in range(2):
            jax.clear_caches()
            assert_same(outcome(fit(**OPTIONS)), expected)
            hits.append(events.count('/jax/compilation_cache/cache_hits'))
        assert jax.config.jax_compilation_cache_dir.startswith(str(tmp_path))
        jax.config.update('jax_compilation_cache_dir', 'the readers')
        package.Trainer(1, display='none')
        assert jax.config.jax_compilation_cache_dir == 'the readers'
    finally:
        jax.config.update('jax_compilation_cache_dir', before)
        compilation_cache.reset_cache()
    assert hits[0] == 0 < hits[1]
