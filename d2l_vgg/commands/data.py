"""`d2l-vgg data`: where Fashion-MNIST is, and how it gets there."""

from d2l_vgg.commands.options import data_folder

HELP = 'tell where Fashion-MNIST is and whether it is whole, or fetch it'


def add_arguments(parser):
    """Add the folder, and whether to download."""
    parser.add_argument(
        'folder',
        nargs='?',
        type=data_folder,
        help='to look in first, or to fetch to',
    )
    parser.add_argument(
        '--fetch', action='store_true', help='download what is missing'
    )


def run(args):
    """Print the state of each file, after fetching them where asked to.

    Raises:
        DataNotFound: a file is not whole, or cannot be fetched.
        OSError: the folder for the download cannot be written.
    """
    from d2l_vgg import tables
    from d2l_vgg.datasets import fashion_mnist, stand_in

    if stand_in.is_asked_for(args.folder):
        print(stand_in.NOTE)
        return
    rows = fashion_mnist.status(args.folder)
    # Into a folder that is named, whatever others hold
    if args.fetch and (args.folder or not are_whole(rows)):
        print(f'Fetched to {fashion_mnist.fetch(args.folder)}')
        rows = fashion_mnist.status(args.folder)
    cells = [(name, state, path or '') for name, path, state in rows]
    for line in tables.lay_out(cells, '<<<', widths=(24, 10, 0), gap=' '):
        print(line)
    if not are_whole(rows):
        print('Looked in: ' + ', '.join(fashion_mnist.places(args.folder)))
        raise fashion_mnist.DataNotFound(
            'Fashion-MNIST is not complete: run `d2l-vgg data --fetch`, or '
            'put the four files into one of the folders above.'
        )


def are_whole(rows):
    """Return whether all files are, of which `status` has given `rows`."""
    return all(state == 'whole' for _, _, state in rows)
