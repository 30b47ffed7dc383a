"""The trainer in JAX: runs that repeat exactly, whatever is random."""

import math
import signal

import numpy as np
import pytest

pytest.importorskip('flax')

import jax
import optax
from flax import linen as nn
from frameworks import needs_bfloat16
from jax import numpy as jnp

from d2l_vgg.datasets import stand_in
from d2l_vgg.jax import (
    VGG,
    Classifier,
    FashionMNIST,
    Trainer,
    optimizers,
    vgg_block,
)
from d2l_vgg.jax.layers import flatten
from d2l_vgg.jax.vgg import Dense
from d2l_vgg.networks.architectures import Architecture
from d2l_vgg.training import checkpoint
from d2l_vgg.training.errors import TrainingDiverged
from d2l_vgg.training.experiments import get_experiment

TINY = Architecture(
    'tiny', blocks=((1, 4), (1, 8)), batch_norm=True, hidden=(16,)
)


class Images:
    """A few images of the stand-in, in a reader's own lists of NumPy's."""

    def __init__(self, num_train=320):
        data = stand_in.load(num_train=num_train, num_val=96)
        self.train = data.train_images, data.train_labels
        self.val = data.val_images, data.val_labels

    def batches(self, images, labels):
        X = images[..., None].astype('float32') / 255
        starts = range(0, len(labels), 32)
        return [(X[i : i + 32], labels[i : i + 32]) for i in starts]

    def train_dataloader(self):
        return self.batches(*self.train)

    def val_dataloader(self):
        return self.batches(*self.val)


@pytest.fixture(scope='module')
def data():
    """With all that is drawn by chance, which a run has to repeat."""
    return FashionMNIST(
        32, root='stand-in', num_train=330, num_val=80, flip=True, shift=2
    )


def fit(data, model=None, resume=False, **options):
    """Train a tiny VGG; return the model and its trainer."""
    if model is None:
        model = VGG(TINY, lr=0.05)
        options.setdefault('momentum', 0.9)
    options = {'max_epochs': 2, 'seed': 3, 'display': 'none', **options}
    trainer = Trainer(**options)
    trainer.fit(model, data, resume=resume)
    return model, trainer


def assert_same(model, other):
    ours, theirs = model.arrays(), other.arrays()
    assert list(ours) == list(theirs)
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], name)


# ------------------------------------------------- the book's interface


def test_fit_returns_the_history(data):
    _, trainer = fit(data)
    points = trainer.history.points
    assert [len(points[s]) for s in ('val_loss', 'val_acc')] == [2, 2]
    # 11 minibatches an epoch: a point after each 5, across the epochs
    assert [x for x, _ in points['train_loss']] == pytest.approx(
        [2 / 11, 7 / 11, 12 / 11, 17 / 11]
    )


def test_it_trains_on_arrays_of_numpys():
    _, trainer = fit(Images(), max_epochs=1)
    losses = trainer.history.points['train_loss']
    assert losses[-1][1] < losses[0][1]


def test_it_learns_the_stand_in():
    data = FashionMNIST(32, root='stand-in', num_train=3200, num_val=500)
    arch = Architecture(
        'tiny', ((1, 8), (1, 16)), batch_norm=True, hidden=(32,), dropout=0
    )
    options = {'lr_schedule': 'one_cycle', 'momentum': 0.9}
    _, trainer = fit(data, VGG(arch, lr=0.05), max_epochs=3, **options)
    assert trainer.history.final['val_acc'] > 0.75


def test_it_learns_fashion_mnist(real_root):
    """A sixth of the real images, twice: more than lines reach on all."""
    data = FashionMNIST(128, root=real_root, num_train=10000, num_val=2000)
    quick = get_experiment('quick')
    options = {
        'lr_schedule': quick.lr_schedule,
        'momentum': quick.momentum,
        'weight_decay': quick.weight_decay,
        'seed': 0,
    }
    model = VGG(quick.arch, quick.lr)
    _, trainer = fit(data, model, max_epochs=2, **options)
    assert trainer.history.final['val_acc'] > 0.84


# ------------------------------------------------- repeating, resuming


def test_a_seed_repeats_a_run_bit_for_bit(data):
    first, trainer = fit(data)
    second, again = fit(data)
    assert_same(first, second)
    assert trainer.history.points == again.history.points
    _, other = fit(data, seed=4)
    assert trainer.history.points != other.history.points


class Interrupted(Trainer):
    """Sends Ctrl-C to its own process in the middle of a step."""

    def train_step(self, batch, lr=None):
        if self.train_batch_idx == self.stop_at:
            signal.raise_signal(signal.SIGINT)
        super().train_step(batch, lr)


def stopped_and_resumed(data, path, stop_at, make=None, **options):
    """Return model and trainer of a run that was stopped in a step."""
    make = make or (lambda: VGG(TINY, lr=0.05))
    options = {'max_epochs': 2, 'seed': 3, 'display': 'none', **options}
    trainer = Interrupted(checkpoint=path, **options)
    trainer.stop_at = stop_at
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(make(), data)
    return fit(data, make(), resume=True, checkpoint=path, **options)


@pytest.mark.parametrize('stop_at', [0, 10, 11, 15])
def test_a_stopped_run_goes_on_as_if_it_had_not_been(data, tmp_path, stop_at):
    path = str(tmp_path / 'checkpoint.npz')
    options = {
        'lr_schedule': 'one_cycle',
        'gradient_clip_val': 1,
        'momentum': 0.9,
        'weight_decay': 1e-3,
        'label_smoothing': 0.1,
    }
    whole, trainer = fit(data, **options)
    resumed, again = stopped_and_resumed(data, path, stop_at, **options)
    assert_same(whole, resumed)
    assert trainer.history.points == again.history.points


@needs_bfloat16
def test_a_run_in_bfloat16_goes_on_bit_for_bit(data, tmp_path):
    path = str(tmp_path / 'checkpoint.npz')
    options = {'precision': 'bfloat16', 'momentum': 0.9}
    whole, trainer = fit(data, **options)
    resumed, again = stopped_and_resumed(data, path, 13, **options)
    assert_same(whole, resumed)
    assert trainer.history.points == again.history.points
    in_float32, _ = fit(data)
    for name, array in whole.arrays().items():
        assert array.dtype == 'float32'
        if name.endswith('weight'):
            assert not np.array_equal(array, in_float32.arrays()[name])


class Adam(VGG):
    """With counts and two arrays a parameter in its state."""

    def configure_optimizers(self):
        return optax.adamw(optax.exponential_decay(0.01, 5, 0.5))


class Averaged(VGG):
    """With what is no parameter's in its state, and two traces."""

    def configure_optimizers(self):
        return optax.MultiSteps(
            optax.chain(optax.trace(0.5), optax.sgd(0.1, momentum=0.5)), 2
        )


@pytest.mark.parametrize('Model', [VGG, Adam, Averaged])
def test_any_optimizer_goes_on_bit_for_bit(data, tmp_path, Model):
    path = tmp_path / 'checkpoint.npz'
    whole, _ = fit(data, Model(TINY, lr=0.05))
    model, _ = stopped_and_resumed(
        data, path, 14, make=lambda: Model(TINY, lr=0.05)
    )
    assert_same(model, whole)


def test_a_checkpoint_holds_plain_arrays_by_name(data, tmp_path):
    path = tmp_path / 'checkpoint.npz'
    model, _ = fit(data, checkpoint=path)
    with np.load(path, allow_pickle=False) as file:
        names = set(file.files) - {'meta.json', 'sha256'}
        momentum = file['optimizer/conv2_1.weight.momentum']
        weight = file['conv2_1.weight']
    own = {
        f'{layer}.{part}'
        for layer in ('conv1_1', 'conv2_1', 'norm1_1', 'norm2_1')
        + ('dense1', 'dense2')
        for part in ('weight', 'bias')
    }
    statistics = {
        f'norm{i}_1.running_{part}'
        for i in (1, 2)
        for part in ('mean', 'var')
    }
    assert names == own | statistics | {
        f'optimizer/{name}.momentum' for name in own
    }
    own = model.variables['params']['layers_1']['layers_0']['kernel']
    np.testing.assert_array_equal(weight, own.transpose(3, 2, 0, 1))
    assert momentum.shape == weight.shape and np.abs(momentum).max() > 0


def test_another_number_of_threads_is_told(data, tmp_path, monkeypatch):
    path = tmp_path / 'checkpoint.npz'
    monkeypatch.delenv('XLA_FLAGS', raising=False)
    monkeypatch.setenv('NPROC', '3')
    fit(data, checkpoint=path)
    monkeypatch.setenv('NPROC', '5')
    with pytest.warns(UserWarning, match='with 3 threads and goes on with 5'):
        fit(data, resume=True, checkpoint=path)


# ------------------------------------------------- mathematics


@pytest.mark.parametrize('largest', [0.05, 1e6])
def test_gradients_are_clipped_to_the_norm(data, largest):
    seen = []

    class Watched(VGG):
        def configure_optimizers(self):
            optim = super().configure_optimizers()

            def update(grads, state, params):
                norm = jnp.sqrt(sum((g**2).sum() for g in grads.values()))
                jax.debug.callback(lambda n: seen.append(float(n)), norm)
                return optim.update(grads, state, params)

            return optax.GradientTransformation(optim.init, update)

    fit(data, Watched(TINY, lr=0.01), max_epochs=1, gradient_clip_val=largest)
    jax.effects_barrier()
    assert len(seen) == 11
    if largest < 1:
        assert seen == pytest.approx([largest] * 11, rel=1e-5)
    else:
        assert 0.05 < min(seen)


def test_the_schedule_sets_the_learning_rate(data):
    rates = []

    class Watched(Trainer):
        def train_step(self, batch, lr=None):
            super().train_step(batch, lr)
            told = optimizers.hyperparams(self.state)
            rates.append(float(told['learning_rate']))

    trainer = Watched(2, seed=3, display='none', lr_schedule='cosine')
    trainer.fit(VGG(TINY, lr=0.4), data)
    expected = [0.4 * (1 + math.cos(math.pi * i / 22)) / 2 for i in range(22)]
    assert rates == pytest.approx(expected)


def test_the_velocity_holds_the_learning_rate():
    """Against the formula, in NumPy, with a rate that changes."""
    draw = np.random.RandomState(0)
    w, v = draw.randn(5), np.zeros(5)
    optim = optimizers.sgd(1.0, momentum=0.8, weight_decay=0.1)
    params = {'a.w': jnp.array(w, 'float32')}
    state = optim.init(params)
    for lr in 0.5, 0.1, 0.01, 0.3:
        grad = draw.randn(5)
        state = optimizers.with_lr(state, jnp.float32(lr))
        grads = {'a.w': jnp.array(grad, 'float32')}
        updates, state = optim.update(grads, state, params)
        params = optax.apply_updates(params, updates)
        v = 0.8 * v - lr * (grad + 0.1 * w)
        w = w + v
        np.testing.assert_allclose(params['a.w'], w, rtol=1e-5)
        kept = optimizers.arrays(state, {'a.w': 'w'})
        np.testing.assert_allclose(kept['optimizer/w.momentum'], v, rtol=1e-5)
        assert list(kept) == ['optimizer/w.momentum']


def test_nothing_waits_for_the_device_but_a_point(data, monkeypatch):
    """Reading a value waits; d2l reads one at every minibatch."""
    reads = []
    Array = type(jnp.zeros(1))
    read = Array._value.fget
    monkeypatch.setattr(
        Array, '_value', property(lambda self: reads.append(1) or read(self))
    )
    _, trainer = fit(data, gradient_clip_val=1, lr_schedule='cosine')
    num_points = sum(map(len, trainer.history.points.values()))
    # Those of the optimizer are read before the start
    assert num_points <= len(reads) <= num_points + 4


def test_each_step_is_traced_but_once_for_each_size(data):
    """Whatever changes from step to step, it is not compiled anew."""
    traced = []

    class Watched(VGG):
        def training_step(self, batch):
            traced.append(len(batch[-1]))
            return super().training_step(batch)

    options = {'momentum': 0.9, 'weight_decay': 0.1, 'gradient_clip_val': 1}
    for schedule in 'constant', 'one_cycle':
        fit(data, Watched(TINY), lr_schedule=schedule, **options)
    assert sorted(traced) == [10, 10, 32, 32]


def test_what_is_plotted_keeps_its_order(data):
    """JAX sorts the keys of the dictionaries that a compiled step returns."""

    class Own(VGG):
        def validation_step(self, batch):
            super().validation_step(batch)
            self.plot('a', self.loss(self(batch[0]), batch[1]), train=False)

    _, trainer = fit(data, Own(TINY))
    series = list(trainer.history.points)
    assert series[-3:] == ['val_loss', 'val_acc', 'val_a']


def test_a_readers_own_variables_outlive_a_training(data):
    """A step takes the memory of the variables before it."""
    model, _ = fit(data, max_epochs=1)
    before = model.variables
    fit(data, model, max_epochs=1)
    assert np.isfinite(jax.tree.leaves(before)[0]).all()


def test_only_the_last_layer_of_a_frozen_network_changes(data, tmp_path):
    path = tmp_path / 'checkpoint.npz'
    model, _ = fit(data, max_epochs=1)
    before = model.arrays()
    model.freeze()
    fit(data, model, max_epochs=1, checkpoint=path, momentum=0.9)
    for name, array in model.arrays().items():
        same = np.array_equal(array, before[name])
        changes = name.startswith('dense2') or 'running' in name
        assert same != changes, name
    with np.load(path) as file:
        slots = [name for name in file.files if 'optimizer/' in name]
    assert sorted(slots) == [
        'optimizer/dense2.bias.momentum',
        'optimizer/dense2.weight.momentum',
    ]


# ------------------------------------------------- what goes wrong


def test_a_loss_that_is_not_finite_stops_the_run(data):
    class Astray(VGG):
        def loss(self, Y_hat, y, averaged=True):
            return super().loss(Y_hat, y, averaged) * float('inf')

    with pytest.raises(TrainingDiverged, match=r'lower the learning rate'):
        fit(data, Astray(TINY))


def test_a_label_without_a_class_is_refused():
    data = Images()
    data.train[1][7] = 10
    with pytest.raises(ValueError, match='A label is 10'):
        fit(data)


@pytest.mark.parametrize('asked', [-1, 2])
def test_one_run_uses_one_device(asked):
    with pytest.raises(ValueError, match=f'num_gpus is {asked}, but'):
        Trainer(1, num_gpus=asked)


def test_one_gpu_means_the_cpu_where_there_is_none():
    if jax.default_backend() != 'cpu':
        pytest.skip('this machine has a GPU')
    assert Trainer(1, num_gpus=1, display='none').on_cpu


# ------------------------------------------------- a reader's own class


class Written(Classifier):
    """A class as a reader writes it: blocks, and layers of Flax's."""

    def __init__(self, lr=0.05):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(
            [
                vgg_block(1, 4, batch_norm=True),
                vgg_block(1, 8, batch_norm=True),
                flatten,
                Dense(16),
                nn.relu,
                nn.Dropout(0.5),
                Dense(10),
            ]
        )


@needs_bfloat16
def test_a_class_of_the_readers_own_is_trained_in_every_way(data):
    options = {
        'momentum': 0.9,
        'weight_decay': 1e-3,
        'label_smoothing': 0.1,
        'test_flip': True,
        'precision': 'bfloat16',
    }
    ours, trainer = fit(data, VGG(TINY, lr=0.05), **options)
    own, again = fit(data, Written(), **options)
    for one, other in zip(ours.arrays().values(), own.arrays().values()):
        np.testing.assert_array_equal(one, other)
    assert trainer.history.points == again.history.points
    # Each of them counts
    for name in options:
        others = {k: v for k, v in options.items() if k != name}
        _, other = fit(data, Written(), max_epochs=1, **others)
        assert (
            other.history.points['val_loss']
            != (trainer.history.points['val_loss'][:1])
        ), name


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


def test_a_module_of_flaxs_trains(data, tmp_path):
    path = tmp_path / 'parameters.npz'
    model, trainer = fit(data, Own())
    losses = trainer.history.points['train_loss']
    assert losses[-1][1] < losses[0][1]
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


@pytest.mark.parametrize(
    'options',
    [
        {'momentum': 0.9},
        {'weight_decay': 0.1},
        {'lr_schedule': 'cosine'},
        pytest.param({'precision': 'bfloat16'}, marks=needs_bfloat16),
    ],
)
def test_what_a_model_cannot_heed_is_refused(data, options):
    with pytest.raises(ValueError, match=f'{list(options)[0]} is .* but'):
        fit(data, Own(), **options)


def test_what_is_no_classifier_is_refused(data):
    with pytest.raises(ValueError, match='Net is no d2l_vgg.Classifier'):
        fit(data, Net())


def test_a_checkpoint_of_another_architecture(data, tmp_path):
    path = str(tmp_path / 'checkpoint.npz')
    fit(data, checkpoint=path)
    arch = Architecture('other', ((1, 4), (1, 9)), hidden=(16,))
    other = VGG(arch, lr=0.05)
    with pytest.raises(checkpoint.BadCheckpoint, match='architecture'):
        fit(data, other, resume=True, checkpoint=path, momentum=0.9)
