"""The VGG family in Gluon: a function for one block, a class for a network.

The names and the design are those of the book's section; the networks are
those of Table 1 of the paper (Simonyan and Zisserman, 2014).
"""

from mxnet import init
from mxnet.contrib.amp.amp import bfloat16
from mxnet.gluon import nn

from d2l_vgg.mxnet.classifier import Classifier
from d2l_vgg.networks import architectures
from d2l_vgg.training import precisions


def vgg_block(
    num_convs,
    num_channels,
    num_1x1=0,
    batch_norm=False,
    lrn=False,
    precision='float32',
):
    """Return convolutions that keep the size and a pooling that halves it.

    Args:
        num_convs: number of 3x3 convolutions
        num_channels: number of output channels of each convolution
        num_1x1: number of 1x1 convolutions after them (network C)
        batch_norm: normalize each convolution's output over the minibatch
        lrn: normalize the last output over channels (network A-LRN)
        precision: 'float32', or 'bfloat16' to compute in that between an
            input and an output that are float32, as the parameters stay
    """
    Conv2D = BFloat16Conv2D if precision == 'bfloat16' else nn.Conv2D
    blk = nn.HybridSequential()
    for kernel_size in [3] * num_convs + [1] * num_1x1:
        blk.add(Conv2D(num_channels, kernel_size, padding=kernel_size // 2))
        if batch_norm:
            blk.add(nn.BatchNorm())
        blk.add(nn.Activation('relu'))
    if lrn:
        blk.add(LocalResponseNorm())
    blk.add(nn.MaxPool2D(pool_size=2, strides=2))
    if precision == 'bfloat16':
        blk.add(ToFloat32())
    return blk


class VGG(Classifier):
    """A network of VGG blocks followed by fully connected layers.

    Args:
        arch: pairs `(num_convs, num_channels)`, one for each block, or the
            name of a network of the family, such as 'vgg11' or 'D'
        lr: learning rate
        num_classes: number of outputs
        momentum, weight_decay: of stochastic gradient descent
        label_smoothing: probability that is taken from the true class and
            spread over all; the book trains with none of these three
        test_flip: judge an image by the mean of its scores and those of its
            mirror image
        precision: 'bfloat16' computes all blocks but the first in that type,
            which halves the time of their convolutions on processors that
            have it, and rounds to 8 bits; the parameters stay float32

    Raises:
        ValueError: `arch` is no name of the family, a size in it is not a
            positive integer, or `precision` is unknown or cannot be
            computed in here.
    """

    def __init__(
        self,
        arch,
        lr=0.1,
        num_classes=10,
        momentum=0,
        weight_decay=0,
        label_smoothing=0,
        test_flip=False,
        precision='float32',
    ):
        super().__init__()
        self.save_hyperparameters()
        precisions.check(precision)
        self.arch = arch = architectures.get(arch)
        if not arch.blocks:
            raise ValueError(
                f'{arch.name} is not built of VGG blocks: choose one of '
                f'{", ".join(architectures.VGG_NAMES)}.'
            )
        self.net = nn.HybridSequential()
        for i, (num_convs, num_channels, num_1x1) in enumerate(arch.blocks):
            self.net.add(
                vgg_block(
                    num_convs,
                    num_channels,
                    num_1x1,
                    arch.batch_norm,
                    lrn=arch.lrn and i == 0,
                    # With the few channels of images nothing is gained
                    precision='float32' if i == 0 else precision,
                )
            )
        for num_hiddens in arch.hidden:
            self.net.add(nn.Dense(num_hiddens, activation='relu'))
            if arch.dropout:
                self.net.add(nn.Dropout(arch.dropout))
        self.net.add(nn.Dense(num_classes))
        self.net.initialize(init.Xavier())
        # Compile once, keep the memory plan: every minibatch has one shape
        self.net.hybridize(static_alloc=True, static_shape=True)


class BFloat16Conv2D(nn.Conv2D):
    """A convolution that rounds its input and its parameters to bfloat16.

    Its output, of type bfloat16, holds sums that were computed in float32.
    """

    def hybrid_forward(self, F, X, weight, bias):
        X, weight, bias = [cast(F, A, bfloat16) for A in (X, weight, bias)]
        return super().hybrid_forward(F, X, weight, bias)


class ToFloat32(nn.HybridBlock):
    """Give back the input, of any shape, as float32."""

    def hybrid_forward(self, F, X):
        return cast(F, X, 'float32')


def cast(F, X, dtype):
    """Return `X` as `dtype`; gradients come back in the type of `X`."""
    # MXNet has this function for its old kind of arrays only
    X = F.amp_cast(X.as_nd_ndarray(), dtype=dtype)
    return X.as_np_ndarray()


class LocalResponseNorm(nn.HybridBlock):
    """Divide each activation by the strength of its neighbours in channels.

    As in AlexNet (Krizhevsky et al., 2012, Section 3.3) and in network A-LRN
    of the VGG paper: five channels, alpha 1e-4, beta 0.75, k 2. The shape
    stays as it is.
    """

    def hybrid_forward(self, F, X):
        # MXNet has this function for its old kind of arrays only
        X = X.as_nd_ndarray()
        Y = F.LRN(X, nsize=5, alpha=1e-4, beta=0.75, knorm=2)
        return Y.as_np_ndarray()
