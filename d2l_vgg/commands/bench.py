"""`d2l-vgg bench`: this package beside the stock d2l code."""

import importlib.util

from d2l_vgg.commands.options import (
    add_data_option,
    add_gpus_option,
    positive,
)
from d2l_vgg.training.experiments import Experiment

HELP = 'measure speed and memory beside the stock d2l code, in turns'


def add_arguments(parser):
    """Add what is measured, how often, and where."""
    parser.add_argument(
        '--resize',
        type=positive,
        nargs='+',
        default=[224, 96, 56],
        help='sizes of the images, in pixels',
    )
    parser.add_argument(
        '--batch-size', type=positive, default=128, help='images at a step'
    )
    parser.add_argument(
        '--rounds', type=positive, default=5, help='of each side, in turns'
    )
    parser.add_argument(
        '--steps', type=positive, default=3, help='training steps in a round'
    )
    add_gpus_option(parser, default=0)
    add_data_option(parser)


def run(args):
    """Print the table of speeds and memory.

    Raises:
        ModuleNotFoundError: MXNet is not installed.
        RuntimeError: a process of the benchmark has failed.
    """
    from d2l_vgg.book import bench

    if importlib.util.find_spec('mxnet') is None:
        raise ModuleNotFoundError(
            'The benchmark trains in MXNet, which is not installed: run '
            '`make bench` without FRAMEWORK.',
            name='mxnet',
        )

    for resize in args.resize:
        Experiment(resize=resize, batch_size=args.batch_size)
    bench.measure(
        args.resize,
        batch_size=args.batch_size,
        rounds=args.rounds,
        steps=args.steps,
        num_gpus=args.num_gpus,
        root=args.data,
    )
