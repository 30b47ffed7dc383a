"""The VGG family in PyTorch: a function for one block, a class for a network.

The names and the design are those of the book's section; the networks are
those of Table 1 of the paper (Simonyan and Zisserman, 2014).
"""

from torch import nn

from d2l_vgg.networks import architectures
from d2l_vgg.torch.layers import BatchNorm2d, LazyConv2d, LazyLinear
from d2l_vgg.torch.training import Classifier
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
    layers = []
    for kernel_size in [3] * num_convs + [1] * num_1x1:
        padding = kernel_size // 2
        layers.append(LazyConv2d(num_channels, kernel_size, padding=padding))
        if batch_norm:
            layers.append(BatchNorm2d(num_channels))
        layers.append(nn.ReLU())
    if lrn:
        # As in AlexNet (Krizhevsky et al., 2012, Section 3.3); PyTorch
        # divides alpha by the five channels
        layers.append(nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2))
    layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
    return nn.Sequential(*layers)


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
        layers.append(nn.Flatten())
        for num_hiddens in arch.hidden:
            layers += [LazyLinear(num_hiddens), nn.ReLU()]
            if arch.dropout:
                layers.append(nn.Dropout(arch.dropout))
        layers.append(LazyLinear(num_classes))
        self.net = nn.Sequential(*layers)
