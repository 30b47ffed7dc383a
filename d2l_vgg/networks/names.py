"""The names of a network's parameters, the same in every framework.

They are those of the layers in `d2l_vgg.networks.costs`, such as conv3_2,
with what the layer has: conv3_2.weight, norm3_2.running_var, dense1.bias.
"""

from d2l_vgg.networks.architectures import get, layers_of


def parameter_names(arch):
    """Return the names of all parameters and running statistics of `arch`.

    `arch` is anything that `architectures.get` takes; the order is that of
    the layers. A weight has the shape (outputs, inputs, height, width), or
    (outputs, inputs) in a fully connected layer, whose inputs come from
    (channels, height, width).

    Raises:
        ValueError: as `architectures.get` does.
    """
    return list(parameter_shapes(arch))


def parameter_shapes(arch, num_classes=10):
    """Return name -> shape of what `parameter_names` lists.

    None stands for what only an image tells: its channels, and the inputs of
    the first fully connected layer.

    Raises:
        ValueError: as `architectures.get` does.
    """
    shapes, channels, units = {}, None, None
    for child in layers_of(get(arch), num_classes):
        for spec in child:
            if spec.kind.startswith('conv'):
                weight = (spec.size, channels, spec.kernel, spec.kernel)
                channels = spec.size
            elif spec.kind == 'dense':
                weight = (spec.size, units)
                units = spec.size
            elif spec.kind == 'batch norm':
                weight = (channels,)
            else:
                continue
            shapes[f'{spec.name}.weight'] = weight
            shapes[f'{spec.name}.bias'] = weight[:1]
            if spec.kind == 'batch norm':
                shapes[f'{spec.name}.running_mean'] = weight
                shapes[f'{spec.name}.running_var'] = weight
    return shapes


def canonical(model, own):
    """Return the names to keep the parameters of `model` under.

    Args:
        model: a network; one that has the layers of its `arch` is known
            under the names of `parameter_names`
        own: the names that its framework gives, in the order of the layers

    Returns:
        canonical name -> own name. They are equal where the network is not
        one of the family.
    """
    own = list(own)
    try:
        names = parameter_names(model.arch)
    except (AttributeError, TypeError, ValueError):
        names = own
    # An `arch` may stand for something else, as that of d2l's ResNet does
    return dict(zip(names if len(names) == len(own) else own, own))
