"""The VGG family in Flax: a function for one block, a class for a network.

The names and the design are those of the book's section; the networks are
those of Table 1 of the paper (Simonyan and Zisserman, 2014). Images have
their channels last.
"""

import functools

from flax import linen as nn

from d2l_vgg.jax.layers import LocalResponseNorm, MaxPool, flatten
from d2l_vgg.jax.training import Classifier
from d2l_vgg.networks import architectures
from d2l_vgg.training.experiments import check_network

# Flax takes the initializer layer by layer; biases start at zero
xavier = nn.initializers.xavier_uniform()
Conv = functools.partial(nn.Conv, kernel_init=xavier)
Dense = functools.partial(nn.Dense, kernel_init=xavier)


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
    layers = []
    for kernel_size in [3] * num_convs + [1] * num_1x1:
        layers.append(Conv(num_channels, (kernel_size, kernel_size)))
        if batch_norm:
            # Flax's faster formula for the variance loses digits
            layers.append(nn.BatchNorm(momentum=0.9, use_fast_variance=False))
        layers.append(nn.relu)
    if lrn:
        layers.append(LocalResponseNorm())
    layers.append(MaxPool())
    return nn.Sequential(layers)


class VGG(Classifier):
    """A network of VGG blocks followed by fully connected layers.

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
        layers = [vgg_block(*block) for block in arch.block_arguments()]
        layers.append(flatten)
        for num_hiddens in arch.hidden:
            layers += [Dense(num_hiddens), nn.relu]
            if arch.dropout:
                layers.append(nn.Dropout(arch.dropout))
        layers.append(Dense(num_classes))
        self.net = nn.Sequential(layers)
