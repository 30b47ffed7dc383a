"""`d2l-vgg convert`: parameters from torchvision's files, and into such."""

import math
import os

from d2l_vgg.commands import making
from d2l_vgg.commands.options import argument, command, path
from d2l_vgg.foreign_text import visible
from d2l_vgg.training.runs import OLD_PARAMETERS, TRAINED, Run

SAFETENSORS, TORCH, OLD = '.safetensors', ('.pth', '.pt'), '.npz'


@command(
    argument(
        'source',
        'a file .safetensors or .pth, an .npz of an earlier version, or a '
        'run as for `predict`',
        path,
    ),
    argument('target', 'the file .safetensors or .pth to write', path),
)
def convert(source, target):
    """Turn torchvision's files of parameters into ours, and back.

    Ours are for every framework here. What is in ours already gets
    torchvision's names, if that has such a network.
    """
    names = write(source, target)
    print(f'{visible(target)}: the names are {names}.')


def write(source, target):
    """Write to `target` what is in `source`; return whose the names are.

    Raises:
        ImportError: what reads or writes such a file is not installed.
        OSError: a file cannot be read or written.
        ValueError: what is read is no VGG, is damaged, or does not go into
            such a file.
    """
    from d2l_vgg.training import arrays, parameters, state_dicts

    kind = kind_of(target, SAFETENSORS, *TORCH)
    torch_files = load_torch_files() if kind in TORCH else None
    arch, found, is_ours = read(source)
    state = state_dicts.torchvisions(arch, found)
    if torch_files and state is None:
        raise ValueError(
            f'{target} would have the names of torchvision, which has no '
            f'such network: write a {SAFETENSORS} file, with ours.'
        )
    print(describe(arch, {name: a.shape for name, a in found.items()}))
    if torch_files:
        torch_files.write(target, state)
        return "torchvision's"
    if is_ours and state is not None:
        arrays.write(target, state, {'format': 'pt'})  # As others expect it
        return "torchvision's"
    parameters.save(target, found)
    if is_ours:
        return 'ours, as torchvision has no such network'
    return 'ours, for every framework of this package'


def read(source):
    """Return a network, its parameters, and whether the format is ours."""
    from d2l_vgg.training import old_parameters, parameters, state_dicts

    if os.path.isdir(source) or source in os.listdir(TRAINED):
        finished = Run.find(source)
        if finished.has_old_parameters():
            arrays = old_parameters.load(finished.path(OLD_PARAMETERS))
            return finished.experiment.arch, arrays, False
        arrays = parameters.load(finished.find_parameters())
        return finished.experiment.arch, arrays, True
    kind = kind_of(source, SAFETENSORS, *TORCH, OLD)
    is_ours = False
    if kind == SAFETENSORS:
        arrays, is_ours = parameters.load_any(source)
    elif kind == OLD:
        arrays = old_parameters.load(source)
    else:
        arrays = load_torch_files().read(source)
    return *state_dicts.understood(source, arrays), is_ours


def kind_of(name, *kinds):
    """Return the end of a file's name, which tells what is in it.

    Raises:
        ValueError: it is none of `kinds`.
    """
    kind = os.path.splitext(name)[1].lower()
    if kind not in kinds:
        raise ValueError(
            f'{name} must end in {", ".join(kinds[:-1])} or {kinds[-1]}, '
            'which tells what kind of file it is.'
        )
    return kind


def load_torch_files():
    """Return the module that reads and writes the files of PyTorch."""
    making.load_framework('torch')
    from d2l_vgg.torch import state_dicts

    return state_dicts


def describe(arch, shapes):
    """Return in a line what network it is, and for what images."""
    trained = [s for name, s in shapes.items() if 'running' not in name]
    num_params = sum(map(math.prod, trained))
    num_classes = shapes[f'dense{len(arch.hidden) + 1}.bias'][0]
    channels = shapes['conv1_1.weight'][1]
    _, last_channels, _ = arch.blocks[-1]
    side = math.isqrt(shapes['dense1.weight'][1] // last_channels)
    halved = 2 ** len(arch.blocks)
    return (
        f'{visible(arch.name)} for {num_classes} classes and images of '
        f'{side * halved} to {side * halved + halved - 1} pixels a side in '
        f'{channels} channel{"s"[: channels - 1]}: {num_params} parameters.'
    )
