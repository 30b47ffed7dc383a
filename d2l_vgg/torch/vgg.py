"""The VGG family in PyTorch: a function for a block, a network as a class."""

from torch import nn

from d2l_vgg.torch.layers import BatchNorm2d, LazyConv2d, LazyLinear
from d2l_vgg.torch.training import Classifier
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
        layers.append(LazyConv2d(num_channels, kernel_size, padding=padding))
        if batch_norm:
            layers.append(BatchNorm2d(num_channels))
        layers.append(nn.ReLU())
    pool, relu = nn.MaxPool2d(kernel_size=2, stride=2), layers.pop()
    # PyTorch divides alpha by the five channels
    norm = nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2)
    # Pooling before the last ReLU: the same numbers, a quarter of the work
    layers += [relu, norm, pool] if lrn else [pool, relu]
    return nn.Sequential(*layers)


class VGG(vgg.VGG, Classifier):
    __doc__ = vgg.VGG.__doc__

    def make_net(self):
        layers = [vgg_block(*block) for block in self.arch.block_arguments()]
        layers.append(nn.Flatten())
        for num_hiddens in self.arch.hidden:
            layers += [LazyLinear(num_hiddens), nn.ReLU()]
            if self.arch.dropout:
                layers.append(nn.Dropout(self.arch.dropout))
        layers.append(LazyLinear(self.num_classes))
        return nn.Sequential(*layers)
