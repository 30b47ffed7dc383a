"""The command line, and the options that several commands share."""

import argparse
import ast
import os
import shlex
import shutil
import sys

from d2l_vgg import __version__
from d2l_vgg.networks import architectures


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Shows the defaults, but not of options that have none."""

    def _get_help_string(self, action):
        if action.default is None or action.default is False:
            return action.help
        return super()._get_help_string(action)


def make_parser(commands):
    """Return the parser of the command line.

    What it returns of a command line has the function of the command as
    `command`, and `debug`, whether an error is to be shown whole.

    Args:
        commands: maps the name of each command to its module
    """
    parser = argparse.ArgumentParser(
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
    """Add the options --name and --no-name; without either, None.

    argparse's own action for this is not in Python 3.8.
    """
    dest = name.replace('-', '_')
    parser.add_argument(
        f'--{name}', action='store_true', default=None, help=help
    )
    parser.add_argument(f'--no-{name}', action='store_false', dest=dest)


def add_data_option(parser):
    """Add the option --data, which is None where it is not given."""
    parser.add_argument(
        '--data',
        metavar='FOLDER',
        help="of Fashion-MNIST's four files, or 'stand-in'",
    )


def add_gpus_option(parser, default=1):
    """Add the option --num-gpus."""
    parser.add_argument(
        '--num-gpus',
        type=int,
        default=default,
        help='0 for the CPU, which 1 means, too, where there is no GPU',
    )


def add_shape_options(parser):
    """Add the options for the shapes of a network's input and output."""
    parser.add_argument(
        '--resize', type=int, default=224, help='height and width, in pixels'
    )
    parser.add_argument(
        '--channels', type=int, default=1, help='of the images'
    )
    parser.add_argument(
        '--num-classes', type=int, default=10, help='outputs of the network'
    )


def positive(text):
    """Return the whole number, 1 or more, that an option gives.

    Raises:
        argparse.ArgumentTypeError: it is less.
        ValueError: it is no whole number.
    """
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f'{text} is less than 1')
    return number


def read_arch(text):
    """Return the architecture that a word of the command names.

    Raises:
        ValueError: it names none.
    """
    if text.startswith(('(', '[')):
        try:
            text = ast.literal_eval(text)
        except (SyntaxError, ValueError):
            raise ValueError(
                f'{text} does not read as pairs (num_convs, num_channels): '
                'write them as in ((1,16),(1,32)).'
            ) from None
    return architectures.get(text)


def command(*words):
    """Return a command of this program that the user's shell will find."""
    program = 'd2l-vgg'
    if shutil.which(program) is None:
        program = os.path.join(os.path.dirname(sys.executable), program)
        program = os.path.relpath(program)
    return shlex.join([program, *words])
