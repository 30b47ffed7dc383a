"""Parameters under the names that torchvision gives them, and by our own."""

from dataclasses import replace

import numpy as np

from d2l_vgg.networks import torchvision_names
from d2l_vgg.networks.architectures import Architecture, named
from d2l_vgg.networks.names import architecture_of, parameter_shapes
from d2l_vgg.training import parameters
from d2l_vgg.training.arrays import Arrays

# Parts of names where PyTorch trains a network, or some of it, in parallel,
# compiles it, or has it inside another
WRAPPERS = {'module', '_orig_mod', '_fsdp_wrapped_module', 'model'}


def understood(
    path: str, state: Arrays, told: dict
) -> tuple[Architecture, Arrays]:
    """Return the network of name -> array, and its parameters by our names.

    The given names are torchvision's, or ours, with what the file has `told`
    of the architecture, which may be nothing. Raises ValueError where it is
    that of another network, or holds what cannot be.
    """
    state = {
        name: array
        for name, array in state.items()
        if not name.endswith(torchvision_names.COUNTER)
    }
    bare = {
        '.'.join(p for p in name.split('.') if p not in WRAPPERS): array
        for name, array in state.items()
    }
    if len(bare) == len(state):  # Else it holds two networks
        state = bare
    nearest = torchvision_names.nearest(state)
    if nearest is not None:
        theirs = torchvision_names.torchvision_names(nearest)
        wanted = torchvision_names.torchvision_shapes(nearest, None)
        expected = {theirs[name]: shape for name, shape in wanted.items()}
        parameters.check_match(
            path, state, expected, f"torchvision's {nearest}"
        )
        state = {name: state[theirs[name]] for name in wanted}
    shapes = {name: array.shape for name, array in state.items()}
    try:
        arch = architecture_of(shapes)
    except ValueError as error:
        first = ', '.join(f'{name:.60}' for name in list(state)[:3])
        raise ValueError(
            f'The parameters in {path} are not those of a VGG by torchvision'
            f"'s names or by ours: they begin with {first or 'nothing'}."
        ) from error
    arrays = {name: state[name] for name in parameter_shapes(arch)}
    parameters.check_match(path, arrays, shapes)
    untold = {n: told[n] for n in ('lrn', 'dropout') if n in told}
    return named(replace(arch, name='custom', letter='', **untold)), arrays


def torchvisions(arch: Architecture, arrays: Arrays) -> Arrays | None:
    """Return torchvision's state dict of a network; None if it has no such.

    The dense layers of torchvision's fit images of 224 x 224.
    """
    shapes = {name: array.shape for name, array in arrays.items()}
    if not torchvision_names.has_network(arch, shapes):
        return None
    state = {}
    for name, theirs in torchvision_names.torchvision_names(arch).items():
        state[theirs] = arrays[name]
        layer, _, part = theirs.rpartition('.')
        if part == 'running_var':
            counter = f'{layer}.{torchvision_names.COUNTER}'
            state[counter] = np.zeros((), 'int64')
    return state
