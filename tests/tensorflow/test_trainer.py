"""The trainer in TensorFlow: Keras's draws, its masks, its own optimizers.

What it shares with the other frameworks' is tested in `tests/trainer`.
"""

import numpy as np
import pytest

pytest.importorskip('tensorflow')

import keras
import tensorflow as tf
import trainings
from keras import layers
from processes import run_python
from trainings import data_of

from d2l_vgg import tensorflow as package
from d2l_vgg.networks.architectures import Architecture
from d2l_vgg.tensorflow import VGG, Trainer
from d2l_vgg.training import allocator

TINY = Architecture('tiny', blocks=((1, 4), (1, 8)), hidden=(16,))


def fit(model, **options):
    return trainings.fit(package, model, **options)


def test_keras_own_seed_gives_the_parameters():
    drawn = []
    for seed in 1, 1, 2:
        keras.utils.set_random_seed(seed)
        model = VGG(TINY)
        model(np.zeros((1, 28, 28, 1), 'float32'))
        drawn.append(model.arrays()['conv1_1.weight'])
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


def test_layers_of_one_shape_draw_other_parameters():
    arch = Architecture('wide', ((1, 4), (2, 4)), hidden=(16, 16, 16))
    model = VGG(arch, lr=1e-12)
    fit(model, max_epochs=1)
    arrays = model.arrays()
    for pair in ('conv2_1', 'conv2_2'), ('dense2', 'dense3'):
        one, other = (arrays[f'{name}.weight'] for name in pair)
        assert one.shape == other.shape
        assert np.abs(one - other).max() > 0.1


def test_dropout_has_other_masks_in_each_minibatch_and_layer():
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
    trainer.fit(Watched(arch, lr=0.05), data_of(package))
    assert len(seen) == 2 * 22
    assert len(set(seen)) == len(seen)


def test_many_short_trainings_are_not_warned_of(caplog):
    """TensorFlow takes them for one function that sees too many shapes."""
    for seed in range(4):
        fit(VGG(TINY, lr=0.05), max_epochs=1, seed=seed)
    assert 'retracing' not in caplog.text


def test_bfloat16_is_in_all_layers_but_dropout_and_the_last():
    """By the graph of a step, which any processor can trace."""
    model, X = VGG(TINY), tf.zeros((2, 28, 28, 1))
    model.set_precision('bfloat16')
    model.build(X)

    def loss_and_gradients(X):
        with tf.GradientTape() as tape:
            Y_hat = model.run(X, training=True)
            loss = model.loss(Y_hat, tf.zeros(2))
        return Y_hat, tape.gradient(loss, model.trainable_variables)

    traced = tf.function(loss_and_gradients).get_concrete_function(X)
    types = {}
    for op in traced.graph.get_operations():
        for tensor in op.outputs[:1]:
            types.setdefault(op.type, []).append(tensor.dtype.name)
    convolved = types['Conv2D'] + types['Conv2DBackpropFilter']
    assert set(convolved) == set(types['MaxPoolGrad']) == {'bfloat16'}
    # Three of each layer: its scores and two gradients
    assert types['MatMul'].count('bfloat16') == 3
    assert types['MatMul'].count('float32') == 3
    assert types['StatelessRandomUniformV2'] == ['float32']
    scores, grads = traced.structured_outputs
    assert {a.dtype.name for a in (scores, *grads)} == {'float32'}
    assert {v.dtype for v in model.trainable_variables} == {'float32'}


def test_float32_after_bfloat16_casts_nothing():
    """Keras's blocks, once built, cast their input to the type they had."""
    models, X = [VGG(TINY), VGG(TINY)], data_of(package).val[0][:4, ..., None]
    models[0].set_precision('bfloat16')
    models[0].build(X)
    models[0].set_precision('float32')
    models[1].load_arrays(models[0].arrays())
    one, other = (model(X / np.float32(255)).numpy() for model in models)
    np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_clipping_a_large_network_repeats_bit_for_bit():
    """TensorFlow would add up the squares in whatever order they come."""

    def trained():
        model = VGG(((1, 8), (1, 16)), lr=0.05)
        data = package.FashionMNIST(32, num_train=640, num_val=32)
        options = {'momentum': 0.9, 'lr_schedule': 'one_cycle'}
        options['gradient_clip_val'] = 1
        return trainings.fit(package, model, data, **options).arrays()

    first = trained()
    for name, array in trained().items():
        np.testing.assert_array_equal(array, first[name], name)


@pytest.mark.skipif(
    allocator.glibc() is None, reason='the C library is not that of GNU'
)
def test_a_training_leaves_no_copy_of_the_parameters_in_memory():
    """A network of 8 MB, ten times, in a process of its own."""
    told = run_python(TRAININGS, timeout=300, OMP_NUM_THREADS='1')
    memory = [int(line) / 1024 for line in told.split()]
    # Eight copies would be 64; TensorFlow's own varies by up to 28
    assert memory[-1] - memory[1] < 5 * 8


TRAININGS = """
import gc
import re

from d2l_vgg.networks.architectures import Architecture
from d2l_vgg.tensorflow import VGG, FashionMNIST, Trainer
from d2l_vgg.training import allocator

arch = Architecture('wide', ((1, 4),), hidden=(2048, 256), dropout=0)
data = FashionMNIST(32, num_train=64, num_val=32)
for _ in range(10):
    Trainer(1, display='none').fit(VGG(arch, lr=0.01), data)
    gc.collect()
    allocator.glibc().malloc_trim(0)
    with open('/proc/self/status') as file:
        print(re.search(r'VmRSS:\\s+(\\d+)', file.read())[1])
"""
