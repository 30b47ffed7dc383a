"""The options of `d2l-vgg train` that make up an `Experiment`."""

import dataclasses

from d2l_vgg.commands.making import SELECTION
from d2l_vgg.commands.options import (
    add_switch,
    number,
    positive,
    read_arch,
    text,
    whole_number,
)
from d2l_vgg.networks import architectures, costs
from d2l_vgg.training.experiments import (
    EXPERIMENTS,
    FIELDS,
    get_experiment,
)

# What reads the value of a field of this type
READERS = {int: whole_number, float: number}

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
    for field in FIELDS.values():
        if field.metadata['help']:
            add_field(group, field)
        if field.name == 'arch':
            add_parts_options(group)
    add_selection_options(group)


def add_field(group, field):
    """Add the option for a field of `Experiment`, from what it tells."""
    name, about = field.name.replace('_', '-'), field.metadata
    if field.type is bool:
        add_switch(group, name, about['help'])
        return
    group.add_argument(
        f'--{name}',
        type=READERS.get(field.type, text),
        choices=about.get('choices'),
        metavar=about.get('metavar'),
        help=about['help'],
    )


def add_parts_options(group):
    add_switch(group, 'batch-norm', 'normalize after each convolution')
    group.add_argument(
        '--hidden',
        type=positive,
        nargs='*',
        metavar='WIDTH',
        help='fully connected layers before the last',
    )
    group.add_argument(
        '--dropout', type=number, help='probability after each of those'
    )


def add_selection_options(group):
    add = group.add_argument
    for name in '--num-train', '--num-val':
        add(name, type=positive, help='use the first so many examples only')


def read_experiment(args, before=None):
    """Return the experiment with the changes that the options make.

    Without `--experiment`, it is that of the run `before`, or `quick`.

    Raises:
        ValueError: an option has a value that no run can have, or the
            images are too small for the network.
    """
    if before and not args.experiment:
        experiment = before.experiment
        experiment = dataclasses.replace(
            experiment,
            description='a finished run, continued',
            # Another one, so that the images come in another order
            seed=(experiment.seed + 1) % 2**32,
            draw='seed',
        )
    else:
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
    costs.summary(arch, (1, experiment.resize, experiment.resize))
    return experiment


def read_selection(args):
    """Return what is to be used of the data: a value for each `SELECTION`."""
    return {name: getattr(args, name) for name in SELECTION}


def refuse_changes(args):
    """Refuse what a run that is resumed would not heed.

    Raises:
        ValueError: it names the first such option.
    """
    names = [
        'experiment',
        'continue_from',
        'name',
        *FIELDS,
        *PARTS,
        *SELECTION,
    ]
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
