"""`d2l-vgg bench`: this package beside the stock d2l code."""

import importlib.util

from d2l_vgg.commands.doctor import tell_progress
from d2l_vgg.commands.options import (
    add_data_option,
    add_framework_option,
    add_gpus_option,
    path,
    positive,
)
from d2l_vgg.frameworks import FRAMEWORKS
from d2l_vgg.training.experiments import Experiment

HELP = 'measure speed and memory beside the stock d2l code, in turns'


def add_arguments(parser):
    """Add what is measured, how often, and where."""
    what = parser.add_mutually_exclusive_group()
    add_framework_option(
        what, 'whose tab of the section is trained beside ours'
    )
    what.add_argument(
        '--frameworks',
        action='store_true',
        help='measure ours in every framework that is installed',
    )
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
    parser.add_argument(
        '--report',
        metavar='FILE',
        type=path,
        nargs='?',
        const='bench.json',
        help='write what was measured, and what `d2l-vgg doctor` says of '
        'this machine, to a file to send, bench.json without a name; users '
        'and home folders are not named in it',
    )
    add_gpus_option(parser, default=0)
    add_data_option(parser)


def run(args):
    """Print the table of speeds and memory, and write the report.

    Raises:
        ValueError: the memory cannot hold what is asked for.
        OSError: the report cannot be written.
        ModuleNotFoundError: the framework is not installed.
        RuntimeError: a process of the benchmark has failed.
    """
    from d2l_vgg.book import bench
    from d2l_vgg.commands import bench_report

    for resize in args.resize:
        Experiment(resize=resize, batch_size=args.batch_size)
    installed = [
        name for name in FRAMEWORKS if importlib.util.find_spec(name)
    ]
    if args.frameworks:
        sides = bench.between_frameworks(installed, args.num_gpus)
    else:
        check_installed(args.framework, installed)
        sides = bench.beside_stock(args.framework, args.num_gpus)
    if args.report:
        bench_report.check_place(args.report)
    measured = bench.measure(
        sides,
        args.resize,
        batch_size=args.batch_size,
        rounds=args.rounds,
        steps=args.steps,
        num_gpus=args.num_gpus,
        root=args.data,
    )
    if args.report:
        bench_report.write(args.report, measured, tell_progress)
        tell_progress('')
        print(f'\nThe report is in {args.report}.')


def check_installed(name, installed):
    """Refuse a framework that is not there to be measured.

    Raises:
        ModuleNotFoundError: it is not.
    """
    if name not in installed:
        others = ' or '.join(f'--framework {other}' for other in installed)
        raise ModuleNotFoundError(
            f'{FRAMEWORKS[name].title} is not installed, so it cannot be '
            f'measured: run `make bench FRAMEWORK={name}`'
            + (f', or take {others}.' if installed else '.'),
            name=name,
        )
