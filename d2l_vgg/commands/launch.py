"""`d2l-vgg launch`: a training by several processes, one for each device."""

import argparse

from d2l_vgg.commands import options, train

HELP = 'let several processes, on one host or more, train one network'


def add_arguments(parser):
    """Add how many workers, where they are, and what they are to do."""
    parser.epilog = (
        'Each worker computes its share of every minibatch, on a GPU of its '
        'own or on its share of the processor, and all take the step that '
        'one process would take with the whole of it; only batch '
        'normalization and dropout see the shares apart. The first worker '
        'keeps the run. Other hosts are reached by ssh without a password, '
        'and have Python, this package, its images and the present folder '
        'at the same places.'
    )
    parser.add_argument(
        '--workers',
        metavar='N',
        type=options.positive,
        required=True,
        help='how many processes train',
    )
    parser.add_argument(
        '--hosts',
        metavar='FILE',
        type=options.path,
        help='of a host and its number of workers a line (default: this '
        'machine alone)',
    )
    parser.add_argument(
        '--port',
        type=options.port,
        help='of the first host, at which they meet (default: a free one)',
    )
    parser.add_argument(
        'words',
        metavar='-- train ...',
        nargs=argparse.REMAINDER,
        help='what they run: the command `d2l-vgg train`, as it is without '
        'workers',
    )


def run(args):
    """Start the workers, and return the status of the first.

    Raises:
        ValueError: the command is not that of a training, or the hosts are
            none.
        OSError: a host or a file is not there.
        ChildProcessError: a worker is gone.
    """
    from d2l_vgg.launch import hosts, job
    from d2l_vgg.training.runs import Run

    words = args.words[args.words[:1] == ['--'] :]
    if words[:1] != ['train']:
        raise ValueError(
            f'Workers can only train, not {" ".join(words[:1]) or "nothing"}'
            ': write `d2l-vgg launch --workers 2 -- train ...`.'
        )
    asked = options.make_parser({'train': train}).parse_args(words)
    framework = asked.framework
    if asked.resume:
        framework = Run.open(asked.resume).framework
    found = hosts.here(args.workers)
    if args.hosts is not None:
        found = hosts.read(args.hosts, args.workers)
    return job.train(found, framework, args.port, words)
