"""The VGG family in Flax: a function for one block, a class for a network."""

import functools

from flax import linen as nn

from d2l_vgg.jax.layers import LocalResponseNorm, MaxPool, flatten
from d2l_vgg.jax.training import Classifier
from d2l_vgg.training import vgg

# Flax takes the initializer layer by layer; biases start at zero
xavier = nn.initializers.xavier_uniform()
Conv = functools.partial(nn.Conv, kernel_init=xavier)
Dense = functools.partial(nn.Dense, kernel_init=xavier)


def vgg_block(
    num_convs, num_channels, num_1x1=0, batch_norm=False, lrn=False
):
    """Return convolutions that keep the size and a pooling that halves it.

    The arguments are described in `Architecture`.
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


class VGG(vgg.VGG, Classifier):
    __doc__ = vgg.VGG.__doc__

    def make_net(self):
        layers = [vgg_block(*block) for block in self.arch.block_arguments()]
        layers.append(flatten)
        for num_hiddens in self.arch.hidden:
            layers += [Dense(num_hiddens), nn.relu]
            if self.arch.dropout:
                layers.append(nn.Dropout(self.arch.dropout))
        layers.append(Dense(self.num_classes))
        return nn.Sequential(layers)
