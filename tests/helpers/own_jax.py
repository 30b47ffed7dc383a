"""What a reader may write himself in JAX, and what he sees of it."""

from types import SimpleNamespace

import jax
import optax
from flax import linen as nn
from jax import numpy as jnp

from d2l_vgg.jax import VGG, Classifier, vgg_block
from d2l_vgg.jax.layers import flatten
from d2l_vgg.jax.vgg import Dense

SPARE_READS = 4  # Those of the optimizer are read before the start


class Adam(VGG):
    """With counts and two arrays a parameter in its state."""

    def configure_optimizers(self):
        return optax.adamw(optax.exponential_decay(0.01, 5, 0.5))


class Lines(nn.Module):
    """Softmax regression without a layer of Flax's."""

    @nn.compact
    def __call__(self, X):
        W = self.param('W', nn.initializers.zeros, (784, 10))
        return X.reshape(len(X), -1) @ W


class Scratch(Classifier):
    def __init__(self, lr=0.1):
        super().__init__()
        self.save_hyperparameters()
        self.net = Lines()

    def configure_optimizers(self):
        return optax.sgd(self.lr)


class Written(Classifier):
    """A class as a reader writes it: blocks, and layers of Flax's."""

    def __init__(self, lr=0.02):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(
            [
                vgg_block(1, 4, batch_norm=True),
                vgg_block(1, 8, batch_norm=True),
                flatten,
                Dense(32),
                nn.relu,
                nn.Dropout(0.5),
                Dense(10),
            ]
        )


# What the training of such a class cannot be asked for
UNSUPPORTED = {
    Scratch: ('momentum', 'weight_decay', 'lr_schedule', 'precision')
}


def loader(images, labels, shuffle):
    """Return a list of minibatches, in the order that it is given."""
    X = images[..., None].astype('float32') / 255
    starts = range(0, len(labels), 32)
    return [(X[i : i + 32], labels[i : i + 32]) for i in starts]


def draw():
    """JAX has no generator that could be drawn from."""


def count_reads(monkeypatch):
    """Return a list that grows with each array that is read."""
    reads, Array = [], type(jnp.zeros(1))
    read = Array._value.fget
    monkeypatch.setattr(
        Array, '_value', property(lambda self: reads.append(1) or read(self))
    )
    return reads


def compute_with_other_threads(monkeypatch):
    """Return how many the next training tells that it computes with."""
    monkeypatch.delenv('XLA_FLAGS', raising=False)
    monkeypatch.setenv('NPROC', '77')
    return 77


def pretend_gpus(monkeypatch, found):
    """Only for what is refused before anything is computed there."""
    gpus = [SimpleNamespace(platform='gpu')] * found
    devices = jax.local_devices
    monkeypatch.setattr(
        jax,
        'local_devices',
        lambda **of: devices(**of) if of else gpus + devices(),
    )
