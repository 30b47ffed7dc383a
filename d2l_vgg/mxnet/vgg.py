"""The VGG family in Gluon: a function for one block, a class for a network.

The names and the design are those of the book's section; the networks are
those of Table 1 of the paper (Simonyan and Zisserman, 2014).
"""

from mxnet import init
from mxnet.gluon import nn

from d2l_vgg.mxnet.layers import LocalResponseNorm
from d2l_vgg.mxnet.training import Classifier
from d2l_vgg.networks.architectures import get_vgg
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
    blk = nn.HybridSequential()
    for kernel_size in [3] * num_convs + [1] * num_1x1:
        padding = kernel_size // 2
        blk.add(nn.Conv2D(num_channels, kernel_size, padding=padding))
        if batch_norm:
            blk.add(nn.BatchNorm())
        blk.add(nn.Activation('relu'))
    if lrn:
        blk.add(LocalResponseNorm())
    blk.add(nn.MaxPool2D(pool_size=2, strides=2))
    return blk


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
        self.arch = arch = get_vgg(arch)
        self.net = nn.HybridSequential()
        for block in arch.block_arguments():
            self.net.add(vgg_block(*block))
        for num_hiddens in arch.hidden:
            self.net.add(nn.Dense(num_hiddens, activation='relu'))
            if arch.dropout:
                self.net.add(nn.Dropout(arch.dropout))
        self.net.add(nn.Dense(num_classes))
        self.net.initialize(init.Xavier())
