"""The section's network and training as its readers run them, in stock d2l.

This is what this package is measured beside: the book's classes, its trainer,
its data and its defaults, in each of the section's four tabs.
"""

import functools

from d2l_vgg.book import stock
from d2l_vgg.networks.architectures import get

ARCH = tuple(block[:2] for block in get('vgg_small').blocks)
# The enlarged images of an epoch, which d2l's data for TensorFlow and JAX
# hold at once, may take so many bytes
MOST_BYTES = 2**31


def make(framework, size, batch_size, all_cores=True):
    """Return the section's model, trainer and data of a framework.

    The images have `size` x `size` pixels; `all_cores` is for `stock.load`.

    Raises:
        ImportError: d2l does not work here.
    """
    d2l = stock.load(framework, all_cores)
    # Whose images they are does not change what d2l does with them
    stock.offer_data(framework, num_train=num_train(framework, size))
    data = d2l.FashionMNIST(batch_size, resize=(size, size))
    model = CLASSES[framework](d2l)(ARCH, lr=0.01)
    if framework == 'torch':
        X = next(iter(data.get_dataloader(True)))[0]
        model.apply_init([X], d2l.init_cnn)
    # The section asks for a GPU where its trainer can take one
    gpus = {} if framework == 'tensorflow' else {'num_gpus': 1}
    return model, d2l.Trainer(max_epochs=10**6, **gpus), data


def num_train(framework, size):
    """Return how many training images d2l's data can hold, None for all.

    The loop takes as long for each of them, however many there are, since
    all are enlarged before the first is used.
    """
    if framework not in ('tensorflow', 'jax'):
        return None
    held = MOST_BYTES // (4 * size**2)
    return held if held < 60000 else None


def mxnet_net(arch, hybrid=False):
    from mxnet import init, npx
    from mxnet.gluon import nn

    npx.set_np()
    Sequential = nn.HybridSequential if hybrid else nn.Sequential

    def vgg_block(num_convs, num_channels):
        conv = {'kernel_size': 3, 'padding': 1, 'activation': 'relu'}
        blk = Sequential()
        for _ in range(num_convs):
            blk.add(nn.Conv2D(num_channels, **conv))
        blk.add(nn.MaxPool2D(pool_size=2, strides=2))
        return blk

    net = Sequential()
    for num_convs, num_channels in arch:
        net.add(vgg_block(num_convs, num_channels))
    net.add(
        nn.Dense(4096, activation='relu'),
        nn.Dropout(0.5),
        nn.Dense(4096, activation='relu'),
        nn.Dropout(0.5),
        nn.Dense(10),
    )
    net.initialize(init.Xavier())
    return net


def torch_net(arch):
    from torch import nn

    def vgg_block(num_convs, out_channels):
        layers = []
        for _ in range(num_convs):
            conv = nn.LazyConv2d(out_channels, kernel_size=3, padding=1)
            layers += [conv, nn.ReLU()]
        layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
        return nn.Sequential(*layers)

    return nn.Sequential(
        *[vgg_block(*pair) for pair in arch],
        nn.Flatten(),
        nn.LazyLinear(4096),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.LazyLinear(4096),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.LazyLinear(10),
    )


def tensorflow_net(arch):
    from tensorflow.keras import Sequential
    from tensorflow.keras import layers as nn

    def vgg_block(num_convs, num_channels):
        conv = {'kernel_size': 3, 'padding': 'same', 'activation': 'relu'}
        blk = Sequential()
        for _ in range(num_convs):
            blk.add(nn.Conv2D(num_channels, **conv))
        blk.add(nn.MaxPool2D(pool_size=2, strides=2))
        return blk

    dense = [
        nn.Flatten(),
        nn.Dense(4096, activation='relu'),
        nn.Dropout(0.5),
        nn.Dense(4096, activation='relu'),
        nn.Dropout(0.5),
        nn.Dense(10),
    ]
    return Sequential(
        [*[vgg_block(*pair) for pair in arch], Sequential(dense)]
    )


def class_around(make_net, d2l):
    """Return the section's class of a network that `make_net(arch)` makes."""

    class VGG(d2l.Classifier):
        def __init__(self, arch, lr=0.1):
            super().__init__()
            self.save_hyperparameters()
            self.net = make_net(arch)

    return VGG


def jax_net(arch, training=True):
    from flax import linen as nn

    def vgg_block(num_convs, out_channels):
        layers = []
        for _ in range(num_convs):
            layers += [nn.Conv(out_channels, (3, 3), padding=(1, 1)), nn.relu]
        layers.append(
            lambda x: nn.max_pool(x, window_shape=(2, 2), strides=(2, 2))
        )
        return nn.Sequential(layers)

    return nn.Sequential(
        [
            *[vgg_block(*pair) for pair in arch],
            lambda x: x.reshape((x.shape[0], -1)),
            nn.Dense(4096),
            nn.relu,
            nn.Dropout(0.5, deterministic=not training),
            nn.Dense(4096),
            nn.relu,
            nn.Dropout(0.5, deterministic=not training),
            nn.Dense(10),
        ]
    )


def jax_class(d2l):
    class VGG(d2l.Classifier):
        arch: list
        lr: float = 0.1
        training: bool = True

        def setup(self):
            self.net = jax_net(self.arch, self.training)

    return VGG


CLASSES = {
    'mxnet': functools.partial(class_around, mxnet_net),
    'torch': functools.partial(class_around, torch_net),
    'tensorflow': functools.partial(class_around, tensorflow_net),
    'jax': jax_class,
}
