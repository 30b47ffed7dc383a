"""The trainer in TensorFlow: Keras's draws, its masks, its own optimizers.

What it shares with the other frameworks' is tested in `tests/trainer`.
"""

import math

import numpy as np
import pytest

pytest.importorskip('tensorflow')

import keras
import own_tensorflow
import tensorflow as tf
import trainings
from keras import layers
from trainings import data_of

from d2l_vgg import tensorflow as package
from d2l_vgg.networks.architectures import Architecture
from d2l_vgg.tensorflow import VGG, Trainer
from d2l_vgg.training import checkpoint

TINY = Architecture('tiny', blocks=((1, 4), (1, 8)), hidden=(16,))


@pytest.fixture
def data():
    return data_of(package)


def fit(model, **options):
    return trainings.fit(package, model, **options)


def test_layers_of_one_shape_draw_other_parameters():
    arch = Architecture('wide', ((1, 4), (2, 4)), hidden=(16, 16, 16))
    model = VGG(arch, lr=1e-12)
    fit(model, max_epochs=1)
    arrays = model.arrays()
    for pair in ('conv2_1', 'conv2_2'), ('dense2', 'dense3'):
        one, other = (arrays[f'{name}.weight'] for name in pair)
        assert one.shape == other.shape
        assert np.abs(one - other).max() > 0.1


def test_parameters_that_have_been_drawn_are_trained_on():
    model = VGG(TINY, lr=1e-12)
    model(np.zeros((1, 28, 28, 1), 'float32'))
    before = model.arrays()
    fit(model, max_epochs=1)
    for name, array in model.arrays().items():
        np.testing.assert_allclose(array, before[name], atol=1e-9)


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
        def record(self, phase, metrics):
            for key in list(metrics):
                if 'dropout' in key:
                    seen.append(metrics.pop(key).numpy().tobytes())
            super().record(phase, metrics)

    arch = Architecture('deep', TINY.blocks, hidden=(16, 16))
    trainer = Keeping(2, seed=0, display='none')
    trainer.fit(Watched(arch, lr=0.05), data)
    assert len(seen) == 2 * 22
    assert len(set(seen)) == len(seen)


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
            metrics = super().train_step(batch, lr)
            grads.append((before, found, lr, self.arrays()))
            return metrics

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


def test_our_optimizer_goes_on_with_a_model_from_scratch(tmp_path):
    class UnderOurs(own_tensorflow.Scratch):
        configure_optimizers = package.Classifier.configure_optimizers

    path = tmp_path / 'checkpoint.safetensors'
    whole = fit(UnderOurs(), momentum=0.9)
    trainings.assert_learned(whole)
    with pytest.raises(KeyboardInterrupt):
        fit(UnderOurs(), stop_at=14, checkpoint=path, momentum=0.9)
    resumed = fit(UnderOurs(), resume=True, checkpoint=path, momentum=0.9)
    trainings.assert_same(
        trainings.outcome(resumed), trainings.outcome(whole)
    )


def test_a_model_of_another_kind_is_refused():
    with pytest.raises(ValueError, match='Sequential is no d2l_vgg.Class'):
        fit(keras.Sequential([layers.Dense(10)]))


def test_many_short_trainings_are_not_warned_of(caplog):
    """TensorFlow takes them for one function that sees too many shapes."""
    for seed in range(4):
        fit(VGG(TINY, lr=0.05), max_epochs=1, seed=seed)
    assert 'retracing' not in caplog.text


@pytest.mark.slow
def test_clipping_a_large_network_repeats_bit_for_bit():
    """TensorFlow would add up the squares in whatever order they come."""

    def trained():
        model = VGG(((1, 8), (1, 16)), lr=0.05)
        data = package.FashionMNIST(32, num_train=640, num_val=32)
        options = {'momentum': 0.9, 'lr_schedule': 'one_cycle'}
        trainer = Trainer(
            2, gradient_clip_val=1, seed=3, display='none', **options
        )
        trainer.fit(model, data)
        return trainer.arrays()

    first = trained()
    for name, array in trained().items():
        np.testing.assert_array_equal(array, first[name], name)
