"""`d2l-vgg summary`: the layers of one network."""

from d2l_vgg.commands.options import add_shape_options, read_arch
from d2l_vgg.networks import costs

HELP = 'list the layers of a network with their shapes and costs'


def add_arguments(parser):
    """Add which network, and the shapes of its input and output."""
    parser.add_argument('arch', help='such as vgg11, D, or ((1,16),(1,32))')
    add_shape_options(parser)


def run(args):
    """Print the table of the layers.

    Raises:
        ValueError: there is no such network, or not for such images.
    """
    shape = (args.channels, args.resize, args.resize)
    print(costs.summary_table(read_arch(args.arch), shape, args.num_classes))
