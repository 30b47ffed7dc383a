"""The VGG family in Gluon: a function for a block, a class for a network."""

from mxnet import init
from mxnet.gluon import nn

from d2l_vgg.mxnet.layers import LocalResponseNorm
from d2l_vgg.mxnet.training import Classifier
from d2l_vgg.training import vgg


def vgg_block(
    num_convs, num_channels, num_1x1=0, batch_norm=False, lrn=False
):
    """Return convolutions that keep the size and a pooling that halves it.

    The arguments are described in `Architecture`.
    """
    layers = []
    for kernel_size in [3] * num_convs + [1] * num_1x1:
        padding = kernel_size // 2
        layers.append(nn.Conv2D(num_channels, kernel_size, padding=padding))
        if batch_norm:
            layers.append(nn.BatchNorm())
        layers.append(nn.Activation('relu'))
    pool, relu = nn.MaxPool2D(pool_size=2, strides=2), layers.pop()
    # Pooling before the last ReLU: the same numbers, a quarter of the work
    layers += [relu, LocalResponseNorm(), pool] if lrn else [pool, relu]
    blk = nn.HybridSequential()
    blk.add(*layers)
    return blk


class VGG(vgg.VGG, Classifier):
    __doc__ = vgg.VGG.__doc__

    def make_net(self):
        net = nn.HybridSequential()
        for block in self.arch.block_arguments():
            net.add(vgg_block(*block))
        for num_hiddens in self.arch.hidden:
            net.add(nn.Dense(num_hiddens, activation='relu'))
            if self.arch.dropout:
                net.add(nn.Dropout(self.arch.dropout))
        net.add(nn.Dense(self.num_classes))
        net.initialize(init.Xavier())
        return net
