"""`d2l-vgg convert`: parameters from torchvision's files, and into such."""

import os

from d2l_vgg.commands import making
from d2l_vgg.commands.options import argument, command, path
from d2l_vgg.foreign_text import visible
from d2l_vgg.messages import counted
from d2l_vgg.training.runs import TRAINED, Run

SAFETENSORS, TORCH = '.safetensors', ('.pth', '.pt')


@command(
    argument(
        'source',
        'a file .safetensors or .pth, or a run as for `predict`',
        path,
    ),
    argument('target', 'the file .safetensors or .pth to write', path),
)
def convert(source, target):
    """Turn torchvision's files of parameters into ours, and back.

    Ours are for every framework here. What is in ours already gets
    torchvision's names, if that has such a network.
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
    num_params = sum(a.size for n, a in found.items() if 'running' not in n)
    num_classes = len(found[f'dense{len(arch.hidden) + 1}.bias'])
    channels = found['conv1_1.weight'].shape[1]
    print(
        f'{visible(arch.name)} for {counted(num_classes, "class", "es")} and '
        f'images in {counted(channels, "channel")}: {num_params} parameters.'
    )
    names = "torchvision's"
    if torch_files:
        torch_files.write(target, state)
    elif is_ours and state is not None:
        arrays.write(target, state, {'format': 'pt'})  # As others expect it
    else:
        parameters.save(target, found, arch)
        names = 'ours, for every framework of this package'
        if is_ours:
            names = 'ours, as torchvision has no such network'
    print(f'{visible(target)}: the names are {names}.')


def read(source):
    """Return a network, its parameters, and whether the format is ours."""
    from d2l_vgg.training import parameters, state_dicts

    if os.path.isdir(source) or source in os.listdir(TRAINED):
        finished = Run.find(source)
        arrays = parameters.load(finished.find_parameters())
        return finished.experiment.arch, arrays, True
    kind, meta = kind_of(source, SAFETENSORS, *TORCH), None
    if kind == SAFETENSORS:
        arrays, meta = parameters.load_any(source)
    else:
        arrays = load_torch_files().read(source)
    told = (meta or {}).get('arch', {})
    arch, arrays = state_dicts.understood(source, arrays, told)
    return arch, arrays, meta is not None


def kind_of(name, *kinds):
    """Return the end of a file's name; ValueError unless among `kinds`."""
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
