"""The steps in TensorFlow: a history, and runs that repeat exactly."""

import math
import signal

import numpy as np
import pytest

pytest.importorskip('tensorflow')

import keras
import tensorflow as tf
from frameworks import needs_bfloat16
from keras import layers

from d2l_vgg.networks.architectures import Architecture
from d2l_vgg.tensorflow import (
    VGG,
    Classifier,
    FashionMNIST,
    Trainer,
    vgg_block,
)
from d2l_vgg.training import checkpoint
from d2l_vgg.training.errors import TrainingDiverged
from d2l_vgg.training.experiments import get_experiment

TINY = Architecture('tiny', blocks=((1, 4), (1, 8)), hidden=(16,))
NORMAL = Architecture('normal', TINY.blocks, batch_norm=True, hidden=(16,))


@pytest.fixture(scope='module')
def data():
    """With all that is drawn by chance, which a run has to repeat."""
    return FashionMNIST(
        32, root='stand-in', num_train=330, num_val=80, flip=True, shift=2
    )


class Stopped(Trainer):
    """Sends Ctrl-C to its own process in the middle of a step."""

    stop_at = None

    def train_step(self, batch, lr=None):
        if self.train_batch_idx == self.stop_at:
            signal.raise_signal(signal.SIGINT)
        super().train_step(batch, lr)

    def validation_step(self, batch):
        if ('val', self.val_batch_idx) == self.stop_at:
            signal.raise_signal(signal.SIGINT)
        super().validation_step(batch)


def fit(data, model=None, resume=False, stop_at=None, **options):
    """Train a tiny VGG; return the model and its trainer."""
    if model is None:
        model = VGG(TINY, lr=0.05)
        options.setdefault('momentum', 0.9)
    options = {'max_epochs': 2, 'seed': 3, 'display': 'none', **options}
    trainer = Stopped(**options)
    trainer.stop_at = stop_at
    trainer.fit(model, data, resume=resume)
    return model, trainer


def assert_same(model, other):
    ours, theirs = model.arrays(), other.arrays()
    assert list(ours) == list(theirs)
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], name)


def differ(model, other):
    ours, theirs = model.arrays(), other.arrays()
    return any(not np.array_equal(ours[name], theirs[name]) for name in ours)


def test_fit_returns_the_history(data):
    _, trainer = fit(data)
    points = trainer.history.points
    # 11 minibatches an epoch: a point after each 5, across the epochs
    assert [x for x, _ in points['train_loss']] == pytest.approx(
        [2 / 11, 7 / 11, 12 / 11, 17 / 11]
    )
    assert [x for x, _ in points['val_acc']] == [1, 2]
    assert [x for x, _ in points['val_loss']] == [1, 2]


# ------------------------------------------------- repeating, resuming


def test_a_seed_repeats_a_run_bit_for_bit(data):
    first, trainer = fit(data, VGG(NORMAL, lr=0.05), momentum=0.9)
    tf.random.normal([10])  # Whatever was drawn in between
    layers.Dense(3)
    second, again = fit(data, VGG(NORMAL, lr=0.05), momentum=0.9)
    assert_same(first, second)
    assert trainer.history.points == again.history.points
    third, other = fit(data, VGG(NORMAL, lr=0.05), momentum=0.9, seed=4)
    assert differ(first, third)
    assert trainer.history.points != other.history.points


def test_layers_of_one_shape_draw_other_parameters(data):
    arch = Architecture('wide', ((1, 4), (2, 4)), hidden=(16, 16, 16))
    model, _ = fit(data, VGG(arch, lr=1e-12), max_epochs=1)
    arrays = model.arrays()
    for pair in ('conv2_1', 'conv2_2'), ('dense2', 'dense3'):
        one, other = (arrays[f'{name}.weight'] for name in pair)
        assert one.shape == other.shape
        assert np.abs(one - other).max() > 0.1


def test_parameters_that_have_been_drawn_are_trained_on(data):
    model = VGG(TINY, lr=1e-12)
    model(np.zeros((1, 28, 28, 1), 'float32'))
    before = model.arrays()
    fit(data, model, max_epochs=1)
    for name, array in model.arrays().items():
        np.testing.assert_allclose(array, before[name], atol=1e-9)


@pytest.mark.parametrize('stop_at', [0, 10, 11, 15, 21, ('val', 4)])
def test_a_stopped_run_goes_on_as_if_it_had_not_been(data, tmp_path, stop_at):
    path = str(tmp_path / 'checkpoint.npz')
    options = {
        'lr_schedule': 'one_cycle',
        'gradient_clip_val': 1,
        'momentum': 0.9,
        'weight_decay': 1e-3,
        'label_smoothing': 0.1,
        'test_flip': True,
    }
    whole, trainer = fit(data, VGG(NORMAL, lr=0.05), **options)
    with pytest.raises(KeyboardInterrupt):
        stopped = VGG(NORMAL, lr=0.05)
        fit(data, stopped, stop_at=stop_at, checkpoint=path, **options)
    resumed, again = fit(
        data, VGG(NORMAL, lr=0.05), resume=True, checkpoint=path, **options
    )
    assert_same(whole, resumed)
    assert trainer.history.points == again.history.points


@needs_bfloat16
def test_a_run_in_bfloat16_goes_on_bit_for_bit(data, tmp_path):
    path = str(tmp_path / 'checkpoint.npz')
    options = {'precision': 'bfloat16', 'momentum': 0.9}
    whole, trainer = fit(data, **options)
    with pytest.raises(KeyboardInterrupt):
        fit(data, stop_at=13, checkpoint=path, **options)
    resumed, again = fit(data, resume=True, checkpoint=path, **options)
    assert_same(whole, resumed)
    assert trainer.history.points == again.history.points
    in_float32, _ = fit(data)
    assert differ(whole, in_float32)


class Adam(VGG):
    def configure_optimizers(self):
        return keras.optimizers.Adam(0.01)


class Scratch(Classifier):
    """As the book writes a model without layers, and an optimizer."""

    def __init__(self, lr=0.1):
        super().__init__()
        self.save_hyperparameters()
        self.W = tf.Variable(tf.zeros((784, 10)))
        self.b = tf.Variable(tf.zeros(10))

    def forward(self, X):
        return tf.reshape(X, (-1, 784)) @ self.W + self.b

    def configure_optimizers(self):
        return ScratchSGD(self.lr)


class ScratchSGD:
    def __init__(self, lr):
        self.lr = lr

    def apply_gradients(self, grads_and_vars):
        for grad, param in grads_and_vars:
            param.assign_sub(self.lr * grad)


class ScratchUnderOurs(Scratch):
    configure_optimizers = Classifier.configure_optimizers


@pytest.mark.parametrize(
    'make',
    [lambda: Adam(TINY), Scratch, ScratchUnderOurs],
    ids=['adam', 'scratch', 'ours'],
)
def test_any_model_and_optimizer_goes_on_bit_for_bit(data, tmp_path, make):
    path = tmp_path / 'checkpoint.npz'
    whole, trainer = fit(data, make())
    losses = [value for _, value in trainer.history.points['train_loss']]
    assert losses[-1] < losses[0]
    with pytest.raises(KeyboardInterrupt):
        fit(data, make(), stop_at=14, checkpoint=path)
    model, again = fit(data, make(), resume=True, checkpoint=path)
    assert_same(model, whole)
    assert trainer.history.points == again.history.points


def test_dropout_has_other_masks_in_each_minibatch_and_layer(data):
    """Masks are seen where ones went in; nothing but dropout differs."""
    seen = []

    class Watched(VGG):
        def training_step(self, batch):
            ones = tf.ones((batch[-1].shape[0], 16))
            for layer in self.net.layers:
                if isinstance(layer, layers.Dropout):
                    self.plot(layer.name, layer(ones, training=True), True)
            return super().training_step(batch)

    class Keeping(Trainer):
        def record_values(self, train):
            for key in list(self.values):
                if 'dropout' in key:
                    seen.append(self.values.pop(key).numpy().tobytes())
            super().record_values(train)

    arch = Architecture('deep', TINY.blocks, hidden=(16, 16))
    trainer = Keeping(2, seed=0, display='none')
    trainer.fit(Watched(arch, lr=0.05), data)
    assert len(seen) == 2 * 22
    assert len(set(seen)) == len(seen)


# ------------------------------------------------- mathematics


def test_gradient_descent_is_that_of_the_definitions(data):
    """Velocity with the rate inside, coupled decay, clipping, a schedule."""
    options = {
        'momentum': 0.9,
        'weight_decay': 0.01,
        'gradient_clip_val': 0.5,
        'lr_schedule': 'one_cycle',
    }
    grads = []

    arch = Architecture('tiny', TINY.blocks, hidden=(16,), dropout=0)
    model = VGG(arch, lr=0.1)

    class Keeping(Trainer):
        def train_step(self, batch, lr=None):
            before = self.arrays()
            with tf.GradientTape() as tape:
                loss = model.loss(model(batch[0], training=True), batch[1])
            params = model.trained_parameters()
            found = tape.gradient(loss, model.trainable_variables)
            found = {
                name: params[name].read(grad).astype('float64')
                for name, grad in zip(params, found)
            }
            super().train_step(batch, lr)
            grads.append((before, found, lr, self.arrays()))

    trainer = Keeping(1, seed=0, display='none', **options)
    trainer.fit(model, data)
    rates, norms = set(), []
    for before, found, lr, after in grads:
        norm = math.sqrt(sum((g**2).sum() for g in found.values()))
        scale = min(1, 0.5 / norm)
        for name, grad in found.items():
            slot = checkpoint.optimizer_name(name, 'momentum')
            w, v = (before[n].astype('float64') for n in (name, slot))
            v = 0.9 * v - lr * (scale * grad + 0.01 * w)
            np.testing.assert_allclose(after[slot], v, rtol=1e-4, atol=1e-6)
            np.testing.assert_allclose(
                after[name], w + v, rtol=1e-4, atol=1e-6
            )
        rates.add(lr)
        norms.append(norm)
    assert len(rates) == 11
    assert min(norms) < 0.5 < max(norms)


def test_it_learns_the_stand_in():
    data = FashionMNIST(32, root='stand-in', num_train=3200, num_val=500)
    arch = Architecture(
        'tiny', ((1, 8), (1, 16)), batch_norm=True, hidden=(32,), dropout=0
    )
    options = {'lr_schedule': 'one_cycle', 'momentum': 0.9}
    _, trainer = fit(data, VGG(arch, lr=0.05), max_epochs=3, **options)
    assert trainer.history.final['val_acc'] > 0.75


def test_it_learns_fashion_mnist(real_root):
    """A sixth of the real images, three times: about 0.88.

    Softmax regression is at 0.84 on all of them.
    """
    data = FashionMNIST(128, root=real_root, num_train=10000, num_val=2000)
    quick = get_experiment('quick')
    options = {
        'lr_schedule': quick.lr_schedule,
        'momentum': quick.momentum,
        'weight_decay': quick.weight_decay,
        'seed': 0,
    }
    model = VGG(quick.arch, quick.lr)
    _, trainer = fit(data, model, max_epochs=3, **options)
    assert trainer.history.final['val_acc'] > 0.86


def test_nothing_waits_for_the_device_but_a_point(data, monkeypatch):
    """Beside the minibatch before, which keeps the pace."""
    cls, reads = type(tf.constant(0.0)), []
    read = cls.numpy

    def counted(self):
        reads.append(self)
        return read(self)

    monkeypatch.setattr(cls, 'numpy', counted)
    monkeypatch.setattr(
        cls, '__float__', lambda self: float(counted(self)), raising=False
    )
    monkeypatch.setattr(Trainer, 'wait_for', lambda self, value: None)
    _, trainer = fit(data)
    num_points = sum(map(len, trainer.history.points.values()))
    assert num_points <= len(reads) <= num_points + 2


# ------------------------------------------------- hyperparameters


class Written(Classifier):
    """A class as a reader writes it: blocks, and nothing of our own."""

    def __init__(self, lr=0.05):
        super().__init__()
        self.save_hyperparameters()
        self.net = keras.Sequential(
            [vgg_block(1, 4), vgg_block(1, 8)]
            + [layers.Flatten(), layers.Dense(16, activation='relu')]
            + [layers.Dropout(0.5), layers.Dense(10)]
        )


def test_a_class_of_the_readers_own_is_trained_in_every_way(data):
    options = {
        'momentum': 0.9,
        'weight_decay': 1e-3,
        'label_smoothing': 0.1,
        'test_flip': True,
    }
    ours, trainer = fit(data, VGG(TINY, lr=0.05), **options)
    own, again = fit(data, Written(), **options)
    assert trainer.history.points == again.history.points
    # Each of them counts
    for name in options:
        others = {k: v for k, v in options.items() if k != name}
        _, other = fit(data, Written(), max_epochs=1, **others)
        first = trainer.history.points['val_loss'][:1]
        assert other.history.points['val_loss'] != first, name


@pytest.mark.parametrize(
    'options',
    [{'momentum': 0.9}, {'weight_decay': 0.1}, {'lr_schedule': 'cosine'}],
)
def test_what_an_optimizer_cannot_heed_is_refused(data, options):
    name = list(options)[0]
    with pytest.raises(ValueError, match=f'{name} is .* leave it out'):
        fit(data, Scratch(), **options)


def test_a_model_of_another_kind_is_refused(data):
    with pytest.raises(ValueError, match='Sequential is no d2l_vgg.Class'):
        fit(data, keras.Sequential([layers.Dense(10)]))


@pytest.mark.parametrize(
    'options, message',
    [
        ({'max_epochs': 0}, 'max_epochs is 0'),
        ({'num_gpus': -1}, 'num_gpus is -1'),
        ({'num_gpus': 2}, 'num_gpus is 2, .* GPUs that TensorFlow'),
        ({'precision': 'float16'}, "precision is 'float16'"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Trainer(**{'max_epochs': 1, **options})


def test_one_gpu_means_the_cpu_where_there_is_none():
    if tf.config.list_physical_devices('GPU'):
        pytest.skip('this machine has a GPU')
    assert Trainer(1, num_gpus=1).on_cpu


def test_a_loss_that_is_not_finite_stops_the_run(data):
    class Astray(VGG):
        def loss(self, Y_hat, y, averaged=True):
            return super().loss(Y_hat, y, averaged) * math.inf

    with pytest.raises(TrainingDiverged, match='lower the learning rate'):
        fit(data, Astray(TINY, lr=0.1))


def test_a_label_without_a_class_is_refused(data):
    with pytest.raises(ValueError, match='the network has 3 classes'):
        fit(data, VGG(TINY, lr=0.05, num_classes=3))


class Own:
    """A reader's own data, from a loader of TensorFlow's."""

    def __init__(self, labels=10):
        self.X = np.random.RandomState(0).rand(64, 28, 28, 1)
        self.y = np.arange(64) % labels

    def train_dataloader(self):
        pairs = self.X.astype('float32'), self.y
        return tf.data.Dataset.from_tensor_slices(pairs).batch(32)

    val_dataloader = train_dataloader


def test_a_loader_of_tensorflow_serves():
    _, trainer = fit(Own())
    assert trainer.history.final['val_acc'] >= 0
    with pytest.raises(ValueError, match='A label is 10, but the network'):
        fit(Own(labels=11))


def test_many_short_trainings_are_not_warned_of(data, caplog):
    """TensorFlow takes them for one function that sees too many shapes."""
    for seed in range(4):
        fit(data, max_epochs=1, seed=seed)
    assert 'retracing' not in caplog.text


def test_a_readers_own_plot_gets_each_value(data):
    class Printing(VGG):
        def plot(self, key, value, train):
            found.append((key, float(value), train))
            super().plot(key, value, train)

    found = []
    _, trainer = fit(data, Printing(TINY, lr=0.05), max_epochs=1)
    losses = [value for key, value, train in found if train]
    assert len(losses) == 11 and len(set(losses)) == 11
    assert {key for key, _, train in found if not train} == {'loss', 'acc'}
    (first, *_) = trainer.history.points['train_loss']
    assert first[1] == pytest.approx(np.mean(losses[:5]))


def test_a_frozen_network_changes_in_its_last_layer_only(data):
    model = VGG(NORMAL, lr=0.05)
    model.freeze()
    model(np.zeros((1, 28, 28, 1), 'float32'))
    before = model.arrays()
    _, trainer = fit(data, model, max_epochs=1, momentum=0.9)
    changed = {
        name
        for name, array in model.arrays().items()
        if not np.array_equal(array, before[name])
    }
    statistics = {n for n in before if '.running_' in n}
    assert changed == statistics | {'dense2.weight', 'dense2.bias'}
    kept = [name for name in trainer.arrays() if name not in before]
    assert kept == [
        'optimizer/dense2.weight.momentum',
        'optimizer/dense2.bias.momentum',
    ]


def test_another_number_of_threads_is_told(data, tmp_path, monkeypatch):
    path = tmp_path / 'checkpoint.npz'
    fit(data, checkpoint=path)
    monkeypatch.setattr(
        tf.config.threading, 'get_intra_op_parallelism_threads', lambda: 77
    )
    with pytest.warns(UserWarning, match='begun with .* goes on with 77'):
        fit(data, resume=True, checkpoint=path)
