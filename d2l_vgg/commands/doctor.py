"""`d2l-vgg doctor`: what this machine can run, and how to mend the rest."""

import sys

from d2l_vgg.commands.options import seconds
from d2l_vgg.doctor.probing import SECONDS
from d2l_vgg.training.experiments import EXPERIMENTS

HELP = 'tell what this machine can run, and what to do where it cannot'


def add_arguments(parser):
    """Add the experiment that is to be run, and the form of the report."""
    parser.epilog = (
        'Each framework that is installed trains one minibatch, in a process '
        'of its own. Exit status: 0 if one of them can train here, else 1.'
    )
    parser.add_argument(
        '--experiment',
        choices=EXPERIMENTS,
        default='quick',
        help='whose needs of memory and disk are looked at',
    )
    parser.add_argument(
        '--json',
        action='store_true',
        help='print a report to send, without user names and home folders',
    )
    parser.add_argument(
        '--time-limit',
        metavar='SECONDS',
        type=seconds,
        default=SECONDS,
        help='after which a framework is taken to hang',
    )


def run(args):
    """Print the page or the report; return 1 if nothing here can train."""
    from d2l_vgg.doctor import report
    from d2l_vgg.doctor.examination import examine

    findings = examine(args.experiment, args.time_limit, tell_progress)
    tell_progress('')
    print(report.as_json(findings) if args.json else report.page(findings))
    return 0 if findings.trained else 1


def tell_progress(what):
    """Show on a terminal what is being tried, nothing when `what` is ''."""
    if sys.stderr is not None and sys.stderr.isatty():
        text = f'trying {what} ...' if what else ''
        print(f'\r\x1b[K{text}', end='', file=sys.stderr, flush=True)
