"""The options of `d2l-vgg train` that make up an `Experiment`."""

import dataclasses

from d2l_vgg.commands.making import SELECTION
from d2l_vgg.commands.options import add_switch, read_arch
from d2l_vgg.networks import architectures
from d2l_vgg.training import precisions, schedules
from d2l_vgg.training.experiments import (
    DRAWS,
    EXPERIMENTS,
    Experiment,
    get_experiment,
)

# Options of the same names; `arch` is one of them, but no `description`
FIELDS = tuple(field.name for field in dataclasses.fields(Experiment))
# The options that change a part of the architecture
PARTS = ('batch_norm', 'hidden', 'dropout')


def add_hyperparameters(parser):
    """Add an option for each hyperparameter, and those of the data.

    Each is None where it is not given.
    """
    group = parser.add_argument_group(
        'hyperparameters',
        'Those not given are those of the experiment; '
        + '; '.join(f'{n}: {e.describe()}' for n, e in EXPERIMENTS.items())
        + '.',
    )
    add_network_options(group)
    add_descent_options(group)
    add_image_options(group)
    add_start_options(group)
    add_selection_options(group)


def add_network_options(group):
    add = group.add_argument
    add(
        '--arch',
        help='a name such as vgg11, or pairs such as ((1,16),(1,32))',
    )
    add_switch(group, 'batch-norm', 'normalize after each convolution')
    add(
        '--hidden',
        type=int,
        nargs='*',
        metavar='WIDTH',
        help='fully connected layers before the last',
    )
    add('--dropout', type=float, help='probability after each of those')
    add('--resize', type=int, metavar='PIXELS', help='size of the images')


def add_descent_options(group):
    add = group.add_argument
    add('--batch-size', type=int, help='images in a minibatch')
    add('--max-epochs', type=int, help='passes over the training set')
    add('--lr', type=float, help='largest learning rate')
    add(
        '--lr-schedule',
        choices=schedules.SCHEDULES,
        help='its course over the run',
    )
    add('--momentum', type=float, help='of gradient descent, below 1')
    add('--weight-decay', type=float, help='shrinks the parameters')
    add('--gradient-clip-val', type=float, help='largest norm, 0 for none')
    add(
        '--label-smoothing',
        type=float,
        help='probability spread over all classes, below 1',
    )


def add_image_options(group):
    add_switch(group, 'flip', 'mirror half of the training images')
    group.add_argument(
        '--shift',
        type=int,
        metavar='PIXELS',
        help='move each training image by up to so many of its 28',
    )
    add_switch(
        group,
        'test-flip',
        'validate and predict with the mean over image and mirror image',
    )


def add_start_options(group):
    add = group.add_argument
    add('--seed', type=int, help='of shuffles, flips, shifts and dropout')
    add(
        '--draw',
        choices=DRAWS,
        help='where initial parameters come from: the seed, or the published '
        'runs of the book',
    )
    add(
        '--precision',
        choices=precisions.PRECISIONS,
        help='number type of all blocks but the first; bfloat16 takes a CPU '
        'with avx512_bf16',
    )


def add_selection_options(group):
    add = group.add_argument
    add('--num-train', type=int, help='use the first so many examples only')
    add('--num-val', type=int, help='use the first so many examples only')
    add(
        '--division',
        type=int,
        metavar='SEED',
        help='divide all images anew into a training and a validation set',
    )


def read_experiment(args):
    """Return the experiment with the changes that the options make.

    Raises:
        ValueError: an option has a value that no run can have, or the
            images are too small for the network.
    """
    experiment = get_experiment(args.experiment or 'quick')
    changes = given(args, FIELDS)
    arch = changes.pop('arch', None)
    arch = read_arch(arch) if arch else architectures.get(experiment.arch)
    parts = given(args, PARTS)
    if parts:
        if not arch.blocks:
            raise ValueError(f'{arch.name} is not built of VGG blocks.')
        arch = dataclasses.replace(arch, name='custom', letter='', **parts)
    experiment = dataclasses.replace(experiment, arch=arch, **changes)
    # Refuses images that are too small for the network
    architectures.summary(arch, (1, experiment.resize, experiment.resize))
    return experiment


def read_selection(args):
    """Return what is to be used of the data: a value for each `SELECTION`."""
    return {name: getattr(args, name) for name in SELECTION}


def refuse_changes(args):
    """Refuse what a run that is resumed would not heed.

    Raises:
        ValueError: it names the first such option.
    """
    names = ['experiment', 'name', *FIELDS, *PARTS, *SELECTION]
    for name in given(args, names):
        raise ValueError(
            f'--{name.replace("_", "-")} is for a new run: one that is '
            'resumed keeps what it began with; leave out the option, or '
            '--resume.'
        )


def given(args, names):
    """Return the options among `names` that the user has given."""
    found = {name: getattr(args, name, None) for name in names}
    return {name: value for name, value in found.items() if value is not None}
