"""The networks of the book's section (Simonyan and Zisserman, 2014)."""

from d2l_vgg.networks.architectures import get_vgg
from d2l_vgg.training.experiments import check


class VGG:
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
        lr, num_classes = check('lr', lr), check('num_classes', num_classes)
        # This keeps these local variables as attributes
        self.save_hyperparameters()
        self.arch = get_vgg(arch)
        self.net = self.make_net()
