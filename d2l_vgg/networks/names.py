"""The names of a network's parameters, the same in every framework.

They are those of the layers in `d2l_vgg.networks.costs`, such as conv3_2,
with what the layer has: conv3_2.weight, norm3_2.running_var, dense1.bias.
"""

import re

from d2l_vgg.networks.architectures import Architecture, get, layers_of, named


def parameter_shapes(arch, num_classes=10):
    """Return name -> shape of all parameters and running statistics.

    `arch` and errors are as in `architectures.get`, the order is that of the
    layers. A weight has (outputs, inputs, height, width), or (outputs,
    inputs), the inputs in the order (channels, height, width). None stands
    for what only an image tells: its channels, and the inputs of the first
    fully connected layer.
    """
    shapes, channels, units = {}, None, None
    for spec in layers_of(get(arch), num_classes):
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


def architecture_of(shapes):
    """Return the Architecture that has parameters of these shapes.

    `shapes` are by name, in any order. What no parameter tells is as in most
    of the family: dropout, and no local response normalization.

    Raises:
        ValueError: no network of VGG blocks has these.
    """
    convs, widths = {}, {}
    for name, shape in shapes.items():
        conv = re.fullmatch(r'conv(\d{1,4})_(\d{1,4})\.weight', name)
        dense = re.fullmatch(r'dense(\d{1,4})\.weight', name)
        if conv and len(shape) == 4:
            block = convs.setdefault(int(conv[1]), {})
            block[int(conv[2])] = shape[0], shape[2] == 3
        elif dense and shape:
            widths[int(dense[1])] = shape[0]
    blocks = []
    for _, block in sorted(convs.items()):
        num_channels, _ = next(iter(block.values()))
        num_3x3 = sum(is_3x3 for _, is_3x3 in block.values())
        blocks.append((num_3x3, num_channels, len(block) - num_3x3))
    units = [width for _, width in sorted(widths.items())]
    normed = any(name.startswith('norm') for name in shapes)
    arch = named(
        Architecture('custom', blocks, batch_norm=normed, hidden=units[:-1])
    )
    wanted = parameter_shapes(arch, (units or [0])[-1])
    for name in [*wanted, *(set(shapes) - set(wanted))]:
        found = shapes.get(name)
        if not has_shape(found, wanted.get(name)) or 0 in found:
            raise ValueError(f'{name} is not as in a network of VGG blocks')
    return arch


def has_shape(found, wanted):
    """Return whether shapes agree; None is any size in `wanted`, or none."""
    return (
        found is not None
        and wanted is not None
        and len(found) == len(wanted)
        and all(n in (None, m) for n, m in zip(wanted, found))
    )


def canonical(model, own):
    """Return the names to keep the parameters of `model` under.

    `own` are those that its framework gives, in the order of the layers.
    Returns canonical name -> own name, the same twice where the network is
    not one of the family.
    """
    own = list(own)
    try:
        names = list(parameter_shapes(model.arch))
    except (AttributeError, TypeError, ValueError):
        names = own
    # An `arch` may stand for something else, as that of d2l's ResNet does
    return dict(zip(names if len(names) == len(own) else own, own))
