"""`d2l-vgg study`: what the spread between runs is made of."""

from d2l_vgg.commands.options import (
    add_data_option,
    add_framework_option,
    number,
    path,
    positive,
)

HELP = 'tell how far runs differ by initial draw and by order of the images'


def add_arguments(parser):
    """Add which runs the study has, and the hyperparameters of all."""
    parser.epilog = (
        'Each run is kept as it ends, so the command goes on where it was '
        'stopped. The 24 runs of the defaults take about an hour on two '
        'cores.'
    )
    add_framework_option(parser, 'to train in')
    parser.add_argument(
        '--draws', type=positive, default=4, help='of initial parameters'
    )
    parser.add_argument(
        '--shuffles', type=positive, default=3, help='for each draw'
    )
    parser.add_argument(
        '--biases',
        nargs='+',
        choices=('zero', 'uniform', 'lecun'),
        default=['zero', 'uniform'],
        help="how they start: zero as MXNet's and TensorFlow's, uniform as "
        "PyTorch's, or zero with JAX's weights",
    )
    parser.add_argument(
        '--resize', type=positive, default=32, help='size, in pixels'
    )
    parser.add_argument(
        '--batch-size', type=positive, default=128, help='images at a step'
    )
    parser.add_argument(
        '--max-epochs', type=positive, default=2, help='of each run'
    )
    parser.add_argument('--lr', type=number, default=0.05, help='constant')
    parser.add_argument(
        '--runs',
        default='runs/study',
        type=path,
        help='the folder for the table',
    )
    add_data_option(parser)


def run(args):
    """Train the runs that are not in the table yet, and print the spread.

    Raises:
        ValueError: what is to be the table is something else.
        OSError: there are no data, or the table cannot be written.
    """
    from d2l_vgg.book import study

    try:
        study.measure(
            args.biases,
            draws=args.draws,
            shuffles=args.shuffles,
            resize=args.resize,
            batch_size=args.batch_size,
            max_epochs=args.max_epochs,
            lr=args.lr,
            folder=args.runs,
            root=args.data,
            framework=args.framework,
        )
    except KeyboardInterrupt:
        print('Stopped: the same command goes on with what is left.')
        raise
