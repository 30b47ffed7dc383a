"""`d2l-vgg convert`: parameters from torchvision's files, and into such."""

import math
import os

from d2l_vgg.commands import making
from d2l_vgg.commands.options import argument, command, path
from d2l_vgg.foreign_text import visible
from d2l_vgg.training.runs import OLD_PARAMETERS, TRAINED, Run

OURS, SAFETENSORS, TORCH = '.npz', '.safetensors', ('.pth', '.pt')

FILES = 'file .npz, .safetensors or .pth'


@command(
    argument('source', f'a {FILES}, or a run as for `predict`', path),
    argument('target', f'the {FILES} to write', path),
)
def convert(source, target):
    """Turn torchvision's files of parameters into ours, and back.

    A .npz is for every framework here; the others have torchvision's names
    where that has such a network.
    \f

    Raises:
        ImportError: what reads or writes such a file is not installed.
        OSError: a file cannot be read or written.
        ValueError: what is read is no VGG, is damaged, or does not go into
            such a file.
    """
    from d2l_vgg.training import parameters, state_dicts

    kind = kind_of(target)
    files = None if kind == OURS else files_of(kind)
    arch, arrays = read(source)
    there = state_dicts.is_torchvisions(arch, arrays)
    if kind in TORCH and not there:
        raise ValueError(
            f'{target} would have the names of torchvision, which has '
            f'no such network: write a {SAFETENSORS} file, with ours.'
        )
    print(describe(arch, {name: a.shape for name, a in arrays.items()}))
    if files is None:
        parameters.save(target, arrays)
        names = 'ours, for every framework of this package'
    elif there:
        files.write(target, state_dicts.torchvisions(arch, arrays))
        names = "torchvision's"
    else:
        files.write(target, arrays)
        names = 'ours, as torchvision has no such network'
    print(f'{visible(target)}: the names are {names}.')


def read(source):
    """Return a network, and its parameters as `parameters.load` does.

    Errors are those of `run`.
    """
    from d2l_vgg.training import parameters, state_dicts

    if os.path.isdir(source) or source in os.listdir(TRAINED):
        finished = Run.find(source)
        arch, found = finished.experiment.arch, finished.find_parameters()
        if os.path.basename(found) != OLD_PARAMETERS:
            return arch, parameters.load(found)
        package = making.load_framework(finished.framework)
        model = making.make_model(
            package, finished.experiment, finished.classes
        )
        return arch, model.read(found)
    kind = kind_of(source)
    if kind == OURS:
        return state_dicts.known(source, parameters.load(source))
    return state_dicts.understood(source, files_of(kind).read(source))


def kind_of(name):
    """Return the end of a file's name, which tells what is in it.

    Raises:
        ValueError: there is no such kind of file.
    """
    kind = os.path.splitext(name)[1].lower()
    if kind not in (OURS, SAFETENSORS, *TORCH):
        raise ValueError(
            f'{name} must end in {OURS}, {SAFETENSORS}, .pth or .pt, which '
            'tells what kind of file it is.'
        )
    return kind


def files_of(kind):
    """Return the module that reads and writes files of this kind.

    Raises:
        ImportError: what it needs is not installed.
    """
    if kind == SAFETENSORS:
        from d2l_vgg.training import safetensors_files

        safetensors_files.library()
        return safetensors_files
    making.load_framework('torch')
    from d2l_vgg.torch import state_dicts

    return state_dicts


def describe(arch, shapes):
    """Return in a line what network it is, and for what images.

    `shapes` are those of its parameters, by name.
    """
    num_params = sum(
        math.prod(shape)
        for name, shape in shapes.items()
        if 'running' not in name
    )
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
