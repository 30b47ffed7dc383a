"""The initial parameters that the book's published runs began with.

Those of MXNet all began with the same, which can be drawn again. Of the
others only the distribution is known, since no seed was set: a draw from it
is that of the seed it is made with.
"""

import math

import numpy as np

from d2l_vgg import frameworks
from d2l_vgg.training.arrays import Arrays

# The distributions, which the study compares, too: weights and biases as in
# the section's TensorFlow, as in its PyTorch (whose `d2l.init_cnn` leaves the
# biases as they are), and as Flax draws them by itself
WEIGHTS = {'zero': 'xavier', 'uniform': 'xavier', 'lecun': 'lecun'}
PUBLISHED = {'torch': 'uniform', 'tensorflow': 'zero', 'jax': 'lecun'}


def draw_as_published(framework, model, resize=224, seed=0):
    """Give `model` initial parameters as a framework's published runs had.

    In MXNet these are the very same numbers, whatever the `seed`; elsewhere
    others of the same distribution. `resize` is the height and width of the
    images in pixels.
    """
    if framework == 'mxnet':
        draw_as_mxnet(model, resize)
    else:
        draw(framework, model, resize, PUBLISHED[framework], seed)


def draw_as_mxnet(model, resize):
    """Draw as every process does that runs the book's MXNet notebook.

    MXNet's generator starts from one seed in every process, and draws initial
    parameters on the CPU. So each run of the notebook draws the same numbers:
    the input and the parameters of VGG-11, whose layers it lists, and then
    those of the network that it trains, here `model`.
    """
    from mxnet import np, random

    from d2l_vgg.mxnet import VGG

    random.seed(0)
    vgg11 = VGG('vgg11')
    for network in vgg11, model:
        network.compile()
    vgg11(np.random.randn(1, 1, 224, 224))
    model(np.zeros((1, 1, resize, resize)))


def draw(framework, model, resize, kind, seed):
    """Draw the weights and biases of `model` from a distribution.

    Args:
        framework: name of the one that `model` is in
        model: a network; what it has besides these stays as it is
        resize: height and width of its images, in pixels
        kind: 'zero' for the weights of Glorot and Bengio (2010), uniform
            within sqrt(6 / (fan-in + fan-out)), and zero biases; 'uniform'
            for the same weights, and biases uniform within 1 / sqrt(fan-in);
            'lecun' for weights of standard deviation 1 / sqrt(fan-in),
            normal but cut off at twice that of the uncut, and zero biases
        seed: of the draw, a whole number
    """
    # What the parameters are, an image tells
    images = frameworks.load(framework).FashionMNIST(
        1, (resize, resize), num_train=1, num_val=1
    )
    model.predict(images.val_dataloader())
    model.load_arrays(drawn(model.arrays(), kind, seed))


def drawn(arrays: Arrays, kind: str, seed: int) -> Arrays:
    """Return the weights and biases among `arrays`, drawn; see `draw`."""
    rng, found = np.random.default_rng(seed), {}
    for name, weight in arrays.items():
        layer, _, part = name.rpartition('.')
        if part != 'weight' or weight.ndim < 2:
            continue
        fan_in = math.prod(weight.shape[1:])
        fan_out = weight.shape[0] * math.prod(weight.shape[2:])
        if WEIGHTS[kind] == 'xavier':
            bound = math.sqrt(6 / (fan_in + fan_out))
            new = rng.uniform(-bound, bound, weight.shape)
        else:
            # The deviation that is left of a normal one of 1, cut off at 2
            scale = 1 / math.sqrt(fan_in) / 0.87962566103423978
            new = scale * truncated_normal(rng, weight.shape)
        found[name] = new.astype('float32')
        bound = 1 / math.sqrt(fan_in) if kind == 'uniform' else 0
        found[f'{layer}.bias'] = rng.uniform(
            -bound, bound, weight.shape[:1]
        ).astype('float32')
    return found


def truncated_normal(rng, shape):
    """Return normal numbers, those beyond 2 drawn again."""
    numbers = rng.standard_normal(shape)
    while True:
        beyond = np.abs(numbers) > 2
        if not beyond.any():
            return numbers
        numbers[beyond] = rng.standard_normal(int(beyond.sum()))
