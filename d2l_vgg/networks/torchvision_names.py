"""The names that torchvision gives the parameters of its eight VGGs.

Its networks are two sequences, `features` and `classifier`, in which each
layer, a ReLU or a pooling, too, has a number. The shapes are those of
`d2l_vgg.networks.names` on images of 224 x 224.
"""

from d2l_vgg.networks import architectures
from d2l_vgg.networks.names import has_shape, parameter_shapes

NETWORKS = tuple(
    f'vgg{layers}{norm}'
    for norm in ('', '_bn')
    for layers in (11, 13, 16, 19)
)
# What torchvision pools the output of the last block to
POOLED = 7
# The minibatches that a batch normalization has seen: not needed for its kind
# of average
COUNTER = 'num_batches_tracked'


def torchvision_names(arch):
    """Return canonical name -> torchvision's, for one of `NETWORKS`."""
    arch = architectures.get(arch)
    names = list(parameter_shapes(arch))
    found, module, place = {}, 'features', 0
    for spec in architectures.layers_of(arch):
        if spec.kind == 'dense' and module == 'features':
            module, place = 'classifier', 0
        for name in names:
            layer, _, part = name.rpartition('.')
            if layer == spec.name:
                found[name] = f'{module}.{place}.{part}'
        place += 1
        is_conv = spec.kind.startswith('conv') and not arch.batch_norm
        if is_conv or spec.kind in ('batch norm', 'dense'):
            place += 1  # Its ReLU
    return found


def nearest(names):
    """Return the one of `NETWORKS` that shares most names with these.

    Return None where none shares half of its names.
    """
    names = set(names)

    def shared(arch):
        own = set(torchvision_names(arch).values())
        return len(own & names) / len(own | names)

    best = max(NETWORKS, key=shared)
    return best if shared(best) > 0.5 else None


def torchvision_shapes(arch, num_classes):
    """Return name -> shape; None stands for the channels of an image."""
    shapes = parameter_shapes(arch, num_classes)
    units, _ = shapes['dense1.weight']
    _, last_channels, _ = architectures.get(arch).blocks[-1]
    shapes['dense1.weight'] = (units, last_channels * POOLED**2)
    return shapes


def has_network(arch, shapes):
    """Return whether torchvision has the network `arch`, of these shapes."""
    if arch.name not in NETWORKS or arch != architectures.get(arch.name):
        return False
    wanted = torchvision_shapes(arch, shapes['dense3.weight'][0])
    return all(has_shape(shapes[name], wanted[name]) for name in wanted)
