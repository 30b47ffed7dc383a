"""The VGG family in Keras: a function for a block, a class for a network."""

import keras
import tensorflow as tf
from keras import layers

from d2l_vgg.tensorflow.training import Classifier
from d2l_vgg.training import vgg


def vgg_block(
    num_convs, num_channels, num_1x1=0, batch_norm=False, lrn=False
):
    """Return convolutions that keep the size and a pooling that halves it.

    The arguments are described in `Architecture`.
    """
    blk = []
    for kernel_size in [3] * num_convs + [1] * num_1x1:
        blk.append(layers.Conv2D(num_channels, kernel_size, padding='same'))
        if batch_norm:
            blk.append(layers.BatchNormalization(momentum=0.9, epsilon=1e-5))
        blk.append(layers.ReLU())
    pool, relu = layers.MaxPool2D(pool_size=2, strides=2), blk.pop()
    # Pooling before the last ReLU: the same numbers, a quarter of the work
    blk += [relu, LocalResponseNorm(), pool] if lrn else [pool, relu]
    return keras.Sequential(blk)


class VGG(vgg.VGG, Classifier):
    __doc__ = vgg.VGG.__doc__

    def make_net(self):
        net = keras.Sequential()
        for block in self.arch.block_arguments():
            net.add(vgg_block(*block))
        net.add(layers.Flatten())
        for num_hiddens in self.arch.hidden:
            net.add(layers.Dense(num_hiddens, activation='relu'))
            if self.arch.dropout:
                net.add(layers.Dropout(self.arch.dropout))
        net.add(layers.Dense(self.num_classes))
        return net


@keras.saving.register_keras_serializable('d2l_vgg')
class LocalResponseNorm(layers.Layer):
    """Divide each activation by the strength of its neighbours in channels.

    See `Architecture`. The shape stays as it is.
    """

    def call(self, X):
        # On a CPU, TensorFlow has none of bfloat16
        Y = tf.nn.local_response_normalization(
            tf.cast(X, 'float32'), 2, bias=2, alpha=1e-4 / 5, beta=0.75
        )
        return tf.cast(Y, X.dtype)
