"""`d2l-vgg compare`: the costs of several networks, side by side."""

from d2l_vgg.commands.options import add_shape_options, positive, read_arch
from d2l_vgg.networks import architectures, costs

HELP = 'show the parameters, multiply-adds and memory of networks'


def add_arguments(parser):
    """Add which networks, their shapes, and the form of the table."""
    parser.add_argument(
        'arch',
        nargs='*',
        default=list(architectures.FAMILY),
        help='such as vgg11, D, or ((1,16),(1,32)); none for all',
    )
    add_shape_options(parser)
    parser.add_argument(
        '--batch-size',
        type=positive,
        default=128,
        help='images whose memory is counted',
    )
    parser.add_argument(
        '--markdown', action='store_true', help='print a Markdown table'
    )


def run(args):
    """Print the table of the networks.

    Raises:
        ValueError: there is no such network, or not for such images.
    """
    print(
        costs.table(
            [read_arch(arch) for arch in args.arch],
            (args.channels, args.resize, args.resize),
            args.num_classes,
            args.batch_size,
            markdown=args.markdown,
        )
    )
