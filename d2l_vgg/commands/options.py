"""The form of a command, and the options that several of them have.

An option for a hyperparameter is made from its field of `Experiment`, and
every number is checked by its limits there.
"""

import contextlib
import importlib
import os
import shlex
import shutil
import sys

import click

from d2l_vgg import __version__, frameworks
from d2l_vgg.networks import costs
from d2l_vgg.training import experiments, interrupts
from d2l_vgg.training.experiments import EXPERIMENTS, FIELDS, LIMITS

# The experiment of a command that names none; the help shows its values
DEFAULT = 'quick'

HELP = {'context_settings': {'help_option_names': ['-h', '--help']}}


class Commands(click.Group):
    """The commands called `names`; each is imported when it is needed."""

    def __init__(self, names):
        about = (
            'VGG of Dive into Deep Learning: train it, look at it, compare '
            "it with the book's curves."
        )
        super().__init__(help=about, **HELP)
        click.version_option(__version__, message='%(version)s')(self)
        self.commands = dict.fromkeys(names)

    def list_commands(self, ctx):
        return list(self.commands)

    def get_command(self, ctx, name):
        if name not in self.commands:
            return None
        with interrupts.ending():
            module = importlib.import_module(f'd2l_vgg.commands.{name}')
        return getattr(module, name)


class Command(click.Command):
    """A command of the name of its function, with --debug, too."""

    def __init__(self, run, params, examples):
        debug = switch('--debug', 'show the traceback of an error')
        debug.expose_value = False  # `cli` looks for it
        debug.group = title_of(params[0])
        super().__init__(
            run.__name__,
            callback=run,
            help=run.__doc__,
            params=[*params, debug],
            epilog=examples and '\n  '.join(['\b\nExamples:', *examples]),
            **HELP,
        )

    def parse_args(self, ctx, args):
        """Read `--hidden 256 128`, too: an option of click has one value."""
        return super().parse_args(ctx, join_values(args, '--hidden'))

    def format_options(self, ctx, formatter):
        """Write the options of each group below its title."""
        groups = {}
        for param in self.params:
            if isinstance(param, click.Option):
                record = param.get_help_record(ctx)
                groups.setdefault(title_of(param), []).append(record)
        for title, records in groups.items():
            with formatter.section(title):
                formatter.write_dl(records)


def title_of(param):
    return getattr(param, 'group', 'Options')


def command(*params, examples=None):
    """Make a function the command of its name."""
    return lambda run: Command(run, params, examples)


def group(title, *options):
    """Return `options` under a title, after its hyperparameters."""
    options = [*hyperparameters(title), *options]
    for each in options:
        each.group = title
    return options


def join_values(words, name):
    """Return `words` with the values that follow an option as one value."""
    if name not in words:
        return words
    end = start = words.index(name) + 1
    while end < len(words) and not words[end].startswith('-'):
        end += 1
    joined = f'{name}={" ".join(words[start:end])}'
    return [*words[: start - 1], joined, *join_values(words[end:], name)]


class Checked(click.ParamType):
    """The value of a hyperparameter or setting, within its `LIMITS`."""

    name = 'number'

    def convert(self, value, param, ctx):
        with contextlib.suppress(ValueError):  # The check says it better
            value = LIMITS[param.name]['kind'](value)
        try:
            return experiments.check(param.name, value)
        except ValueError as error:
            raise click.UsageError(str(error), ctx) from None


class Framework(click.Choice):
    """The name of a framework, or of its tab in the book."""

    def convert(self, value, param, ctx):
        return super().convert(frameworks.named(value), param, ctx)


def text(value):
    """Return a value that is neither empty nor the next option."""
    if not value or value.startswith('--'):
        raise click.BadParameter(f'{value!r} is empty or an option')
    return value


def path(value):
    """Return a path in which `~` stands for the home no longer."""
    expanded = os.path.expanduser(text(value))
    if expanded.startswith('~'):
        raise click.BadParameter(
            f'the home folder in {value!r} is not known: write the path '
            'without ~, or ./~ for a folder of that name'
        )
    return expanded


def argument(name, help, type=str, **about):
    """Return a value that has no name on the command line."""
    return click.Argument([name], type=type, help=help, **about)


def option(name, type, help, **about):
    """Return an option with a value; its help shows the default."""
    if 'default' in about:
        help = f'{help} [{about["default"]}]'
    return click.Option([name], type=type, help=help, **about)


def switch(name, help):
    """Return an option without a value, or the two of `--x/--no-x`."""
    default = None if '/' in name else False
    return click.Option([name], is_flag=True, default=default, help=help)


def choice(name, names, help, kind=click.Choice, **about):
    """Return an option for one of `names`, which the help lists."""
    help = f'{help}: {", ".join(names)}'
    return option(name, kind(names), help, metavar='NAME', **about)


def number(name, help, **about):
    """Return an option for a number with `LIMITS`."""
    return option(f'--{name.replace("_", "-")}', Checked(), help, **about)


def hyperparameters(title):
    """Return the options for the fields of `Experiment` in this group."""
    options = []
    for name, field in FIELDS.items():
        about, value = field.metadata, getattr(EXPERIMENTS[DEFAULT], name)
        if about['group'] != title:
            continue
        word, help = name.replace('_', '-'), about['help']
        if field.type is bool:
            help = f'{help} [{"yes" if value else "no"}]'
            options.append(switch(f'--{word}/--no-{word}', help))
        elif name == 'arch':
            options.append(option('--arch', text, help))
        else:
            if 'choices' in about:
                help += f': {", ".join(about["choices"])}'
            for bound, words in ('below', 'below'), ('most', 'at most'):
                if bound in about:
                    help += f', {words} {about[bound]}'
            metavar = about.get('metavar')
            options.append(number(name, f'{help} [{value}]', metavar=metavar))
    return options


def framework(help):
    """Return the option --framework, which knows the book's names, too."""
    return choice('--framework', frameworks.FRAMEWORKS, help, Framework)


def data():
    return option('--data', path, 'four IDX files [Fashion-MNIST]')


def shapes():
    """Return the options for a network's input and output."""
    channels, size, _ = costs.BOOK_INPUT
    return [
        number('resize', 'height and width of the images', default=size),
        number('channels', 'of the images', default=channels),
        number('num_classes', 'outputs of the network', default=10),
    ]


def command_line(*words):
    """Return a command of this program that the user's shell will find."""
    program = 'd2l-vgg'
    if shutil.which(program) is None:
        program = os.path.join(os.path.dirname(sys.executable), program)
        program = os.path.relpath(program)
    return shlex.join([program, *words])
