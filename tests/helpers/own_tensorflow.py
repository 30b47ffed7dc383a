"""What a reader may write himself in TensorFlow, and what he sees of it."""

import keras
import tensorflow as tf
from keras import layers

from d2l_vgg.tensorflow import VGG, Classifier, Trainer, vgg_block

SPARE_READS = 2


class Adam(VGG):
    def configure_optimizers(self):
        return keras.optimizers.Adam(0.01)


class Descent:
    """Gradient descent from scratch."""

    def __init__(self, lr):
        self.lr = lr

    def apply_gradients(self, grads_and_vars):
        for grad, param in grads_and_vars:
            param.assign_sub(self.lr * grad)


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
        return Descent(self.lr)


class Written(Classifier):
    """A class as a reader writes it: blocks, and layers of Keras's."""

    def __init__(self, lr=0.02):
        super().__init__()
        self.save_hyperparameters()
        self.net = keras.Sequential(
            [vgg_block(1, n, batch_norm=True) for n in (4, 8)]
            + [layers.Flatten(), layers.Dense(32, activation='relu')]
            + [layers.Dropout(0.5), layers.Dense(10)]
        )


# What the training of such a class cannot be asked for
UNSUPPORTED = {Scratch: ('momentum', 'weight_decay', 'lr_schedule')}


def loader(images, labels, shuffle):
    """Return a data set of TensorFlow's, in the order that it is given."""
    X = images[..., None].astype('float32') / 255
    return tf.data.Dataset.from_tensor_slices((X, labels)).batch(32)


def draw():
    tf.random.normal([10])
    layers.Dense(3)


def count_reads(monkeypatch):
    """Return a list that grows with each tensor that is read.

    Except for the minibatch before, which keeps the pace.
    """
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
    return reads


def compute_with_other_threads(monkeypatch):
    """Return how many the next training tells that it computes with."""
    monkeypatch.setattr(
        tf.config.threading, 'get_intra_op_parallelism_threads', lambda: 77
    )
    return 77


def pretend_gpus(monkeypatch, found):
    monkeypatch.setattr(
        tf.config, 'list_physical_devices', lambda kind: [None] * found
    )
