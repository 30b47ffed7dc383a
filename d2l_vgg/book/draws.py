"""The initial parameters that the book's published runs began with."""

from d2l_vgg.frameworks import FRAMEWORKS


def draw_as_published(framework, model, resize=224):
    """Give `model` the initial parameters of a framework's published runs.

    Args:
        framework: name of the one that `model` is in
        model: a network, not yet drawn
        resize: height and width of its images, in pixels

    Raises:
        ValueError: it is not known what those runs began with.
    """
    check(framework)
    DRAWS[framework](model, resize)


def check(framework):
    """Refuse a framework whose published runs are not known so far.

    Raises:
        ValueError: it is not known what they began with.
    """
    if framework not in DRAWS:
        raise ValueError(
            'It is not known what the published runs of '
            f'{FRAMEWORKS[framework].title} began with: use --draw seed.'
        )


def draw_as_mxnet(model, resize):
    """Draw as every process does that runs the book's MXNet notebook.

    MXNet's generator starts from one seed in every process, and draws initial
    parameters on the CPU, wherever they are used. So each run of the notebook
    draws the same numbers in the same order: the input and the parameters of
    VGG-11, whose layers it lists, and then those of the network that it
    trains. `model` is that network; another network or another size of its
    images goes on from the same place.
    """
    from mxnet import np, random

    from d2l_vgg.mxnet import VGG

    random.seed(0)
    vgg11 = VGG('vgg11')
    for network in vgg11, model:
        network.compile()
    vgg11(np.random.randn(1, 1, 224, 224))
    model(np.zeros((1, 1, resize, resize)))


DRAWS = {'mxnet': draw_as_mxnet}
