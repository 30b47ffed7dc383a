"""The VGG family in Keras: a function for one block, a class for a network.

The names and the design are those of the book's section; the networks are
those of Table 1 of the paper (Simonyan and Zisserman, 2014).
"""

import keras
import tensorflow as tf
from keras import layers

from d2l_vgg.networks import architectures
from d2l_vgg.tensorflow.training import Classifier
from d2l_vgg.training.experiments import check_network


def vgg_block(
    num_convs, num_channels, num_1x1=0, batch_norm=False, lrn=False
):
    """Return convolutions that keep the size and a pooling that halves it.

    Args:
        num_convs: number of 3x3 convolutions
        num_channels: number of output channels of each convolution
        num_1x1: number of 1x1 convolutions after them (network C)
        batch_norm: normalize each convolution's output over the minibatch
        lrn: normalize the last output over channels (network A-LRN)
    """
    blk = keras.Sequential()
    for kernel_size in [3] * num_convs + [1] * num_1x1:
        blk.add(layers.Conv2D(num_channels, kernel_size, padding='same'))
        if batch_norm:
            blk.add(layers.BatchNormalization(momentum=0.9, epsilon=1e-5))
        blk.add(layers.ReLU())
    if lrn:
        blk.add(LocalResponseNorm())
    blk.add(layers.MaxPool2D(pool_size=2, strides=2))
    return blk


class VGG(Classifier):
    """A network of VGG blocks followed by fully connected layers.

    Its weights are drawn as Xavier's, which Keras does by itself.

    Args:
        arch: pairs `(num_convs, num_channels)`, one for each block, or the
            name of a network of the family, such as 'vgg11' or 'D'. Each
            block halves the images: five take at least 32 x 32 pixels. Pairs
            are followed by two hidden layers of 4096 with dropout 0.5.
        lr: learning rate
        num_classes: number of outputs

    Raises:
        ValueError: `arch` is no name of the family, `lr` is not positive, or
            `num_classes` or a size in `arch` is not a positive integer.
    """

    def __init__(self, arch, lr=0.1, num_classes=10):
        super().__init__()
        # The next line keeps these local variables as attributes
        lr, num_classes = check_network(lr, num_classes)
        self.save_hyperparameters()
        self.arch = arch = architectures.get_vgg(arch)
        self.net = keras.Sequential()
        for block in arch.block_arguments():
            self.net.add(vgg_block(*block))
        self.net.add(layers.Flatten())
        for num_hiddens in arch.hidden:
            self.net.add(layers.Dense(num_hiddens, activation='relu'))
            if arch.dropout:
                self.net.add(layers.Dropout(arch.dropout))
        self.net.add(layers.Dense(num_classes))


@keras.saving.register_keras_serializable('d2l_vgg')
class LocalResponseNorm(layers.Layer):
    """Divide each activation by the strength of its neighbours in channels.

    As in AlexNet (Krizhevsky et al., 2012, Section 3.3) and in network A-LRN
    of the VGG paper: five channels, alpha 1e-4 (which TensorFlow does not
    divide by the five), beta 0.75, k 2. The shape stays as it is.
    """

    def call(self, X):
        return tf.nn.local_response_normalization(
            X, depth_radius=2, bias=2, alpha=1e-4 / 5, beta=0.75
        )
