"""`d2l-vgg chapter`: the chapter as page, notebooks, slides or PDF."""

import os

from d2l_vgg.commands.options import path, text

HELP = 'build the chapter: a web page with tabs, a notebook for each tab'


def add_arguments(parser):
    """Add which chapter, which of its forms, and what becomes of them."""
    parser.epilog = (
        'Cells run while the page is built, training cut short to '
        '$D2L_VGG_TRIAL minibatches (1).'
    )
    parser.add_argument(
        'folder',
        nargs='?',
        default='chapter',
        type=path,
        help='the d2lbook project',
    )
    parser.add_argument(
        '--only',
        choices=['notebooks', 'slides', 'pdf'],
        help='build just these, in the first tab unless --tab is given',
    )
    parser.add_argument('--tab', type=text, help='of the slides or the PDF')
    parser.add_argument(
        '--no-run', action='store_true', help='run no cells, only convert'
    )
    parser.add_argument(
        '--copy-to',
        metavar='FOLDER',
        type=path,
        help='copy the notebooks there, but not over those that are there',
    )
    parser.add_argument(
        '--keep-output',
        action='store_true',
        help='leave in the notebooks what their cells print',
    )


def run(args):
    """Build what is asked for and print where it is.

    Raises:
        ValueError: two options contradict each other.
        Exception: whatever the builder and its tools find wrong.
    """
    from d2l_vgg.chapter import builder

    refuse_contradictions(
        args.only, args.no_run, args.keep_output, args.copy_to
    )
    if args.only == 'slides':
        print(f'Slides: {builder.slides(args.folder, args.tab)}')
    elif args.only == 'pdf':
        print(f'PDF: {builder.pdf(args.folder, args.tab)}')
    else:
        build(
            args.folder,
            page=args.only != 'notebooks',
            run_cells=not args.no_run,
            keep_output=args.keep_output,
            copy_to=args.copy_to,
        )


def refuse_contradictions(only, no_run, keep_output, copy_to):
    """Refuse options that cannot be heeded together.

    Raises:
        ValueError: these are such.
    """
    if keep_output and no_run:
        raise ValueError(
            '--keep-output needs the cells to run: leave out --no-run.'
        )
    if only in ('slides', 'pdf') and (keep_output or copy_to):
        raise ValueError(
            '--keep-output and --copy-to are for notebooks, not for '
            f'{only}: leave them out.'
        )


def build(folder, page, run_cells, keep_output, copy_to):
    """Build the notebooks and print where they are.

    Args:
        folder: of the d2lbook project
        page: build the page, too, whose cells are run
        run_cells: unless this is False
        keep_output: leave in the notebooks what their cells print, for which
            they are run even without the page
        copy_to: where the reader's own copy goes, or None
    """
    from d2l_vgg.chapter import builder

    built = builder.build(
        folder,
        run_cells=keep_output or (run_cells and page),
        page=page,
        keep_output=keep_output,
    )
    print(f'{"Page" if page else "Notebooks"}: {built}')
    if copy_to:
        notebooks = os.path.join(folder, '_build', 'notebooks')
        builder.hand_out(notebooks, copy_to)
        print(
            f'Your own copy is in {copy_to}: it is never written over, so '
            'remove it to get a new one.'
        )
