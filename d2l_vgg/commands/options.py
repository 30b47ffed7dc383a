"""The command line, and the options that several commands share."""

import argparse
import ast
import math
import os
import shlex
import shutil
import sys
import warnings

from d2l_vgg import __version__, frameworks, messages
from d2l_vgg.networks import architectures

# What Python raises where brackets are nested too deep
TOO_DEEP = (RecursionError, MemoryError)


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Shows the defaults, but not of options that have none."""

    def _get_help_string(self, action):
        if action.default is None or action.default is False:
            return action.help
        return super()._get_help_string(action)


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong."""

    def error(self, message):
        message = messages.one_line(message).rstrip('.')
        self.exit(
            2,
            f'd2l-vgg: {message[:1].upper()}{message[1:]} (`{self.prog} '
            '--help` lists all).\n',
        )


def make_parser(commands):
    """Return the parser of the command line.

    What it returns of a command line has the function of the command as
    `command`, and `debug`, whether an error is to be shown whole.

    Args:
        commands: maps the name of each command to its module
    """
    parser = Parser(
        prog='d2l-vgg',
        description='VGG of Dive into Deep Learning: train it, look at it, '
        'hold it against the book.',
    )
    parser.add_argument('--version', action='version', version=__version__)
    subparsers = parser.add_subparsers(metavar='COMMAND', required=True)
    for name, module in commands.items():
        subparser = subparsers.add_parser(
            name,
            help=module.HELP,
            description=module.HELP[0].upper() + module.HELP[1:] + '.',
            formatter_class=HelpFormatter,
        )
        subparser.add_argument(
            '--debug',
            action='store_true',
            help='show the traceback of an error',
        )
        subparser.set_defaults(command=module.run)
        module.add_arguments(subparser)
    return parser


def add_switch(parser, name, help):
    """Add the options --name and --no-name; without either, None."""
    parser.add_argument(
        f'--{name}',
        action=argparse.BooleanOptionalAction,
        default=None,
        help=help,
    )


def add_data_option(parser):
    """Add the option --data, which is None where it is not given."""
    parser.add_argument(
        '--data',
        metavar='FOLDER',
        type=path,
        help='of another data set in four IDX files (default: '
        'Fashion-MNIST, which comes with this package)',
    )


def add_framework_option(parser, help):
    """Let the user say in which framework it is computed, as `help` tells."""
    parser.add_argument(
        '--framework',
        type=frameworks.named,
        choices=frameworks.FRAMEWORKS,
        default='mxnet',
        help=help,
    )


def add_gpus_option(parser, default=1):
    """Add the option --num-gpus."""
    parser.add_argument(
        '--num-gpus',
        type=not_negative,
        default=default,
        help='0 for the CPU, which 1 means, too, where there is no GPU',
    )


def add_shape_options(parser):
    """Add the options for the shapes of a network's input and output."""
    parser.add_argument(
        '--resize',
        type=positive,
        default=224,
        help='height and width, in pixels',
    )
    parser.add_argument(
        '--channels', type=positive, default=1, help='of the images'
    )
    parser.add_argument(
        '--num-classes',
        type=positive,
        default=10,
        help='outputs of the network',
    )


def text(value):
    """Return a value that is not empty, as an unset variable's would be.

    Raises:
        argparse.ArgumentTypeError: it is.
    """
    if not value:
        raise argparse.ArgumentTypeError(
            'it is empty: give it a value, or leave it out'
        )
    return value


def path(value):
    """Return a path in which `~` stands for the home no longer.

    Raises:
        argparse.ArgumentTypeError: it is empty, or the home is not known.
    """
    expanded = os.path.expanduser(text(value))
    if expanded.startswith('~'):
        raise argparse.ArgumentTypeError(
            f'the home folder in {value!r} is not known: write the path '
            'without ~, or ./~ for a folder of that name'
        )
    return expanded


def whole_number(value, least=None, below=None):
    """Return the whole number that an option gives.

    Raises:
        argparse.ArgumentTypeError: it is none, less than `least`, or not
            less than `below`.
    """
    try:
        number = int(value)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f'{value!r} is no whole number'
        ) from None
    if least is not None and number < least:
        raise argparse.ArgumentTypeError(f'{value} is less than {least}')
    if below is not None and number >= below:
        raise argparse.ArgumentTypeError(f'{value} is not below {below}')
    return number


def positive(value):
    """Return the whole number, 1 or more, that an option gives.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    return whole_number(value, least=1)


def port(value):
    """Return the number of a port that an option gives.

    Raises:
        argparse.ArgumentTypeError: it is none, or one that takes root.
    """
    return whole_number(value, least=1024, below=2**16)


def not_negative(value):
    """Return the whole number, 0 or more, that an option gives.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    return whole_number(value, least=0)


def seed(value):
    """Return the seed that an option gives, of the 32 bits that NumPy takes.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    number = not_negative(value)
    if number >= 2**32:
        raise argparse.ArgumentTypeError(f'{value} is not below 2**32')
    return number


def number(value):
    """Return the finite number that an option gives.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    try:
        found = float(value)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise argparse.ArgumentTypeError(f'{value!r} is no finite number')
    return found


def seconds(value):
    """Return the time, 0 or more, that an option gives.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    found = number(value)
    if found < 0:
        raise argparse.ArgumentTypeError(f'{value} is less than 0')
    return found


def read_arch(word):
    """Return the architecture that a word of the command names.

    Raises:
        ValueError: it names none.
    """
    if word.startswith(('(', '[')):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')  # Such as of 1is 2
                pairs = ast.literal_eval(word)
        except (SyntaxError, ValueError, TypeError, *TOO_DEEP):
            raise ValueError(
                f'{word} does not read as pairs (num_convs, num_channels): '
                'write them as in ((1,16),(1,32)).'
            ) from None
        return architectures.get(pairs)
    return architectures.get(word)


def command(*words):
    """Return a command of this program that the user's shell will find."""
    program = 'd2l-vgg'
    if shutil.which(program) is None:
        program = os.path.join(os.path.dirname(sys.executable), program)
        program = os.path.relpath(program)
    return shlex.join([program, *words])
