"""`d2l-vgg curves`: runs beside the book's published ones."""

from d2l_vgg.book import published
from d2l_vgg.commands import options
from d2l_vgg.foreign_text import visible
from d2l_vgg.training import interrupts
from d2l_vgg.training.runs import Run

HELP = "hold runs against the book's published curves, point by point"


def add_arguments(parser):
    """Add which runs, which published ones, and where the picture goes."""
    parser.add_argument(
        'run', nargs='+', type=options.path, help='the folder of a run'
    )
    parser.add_argument(
        '--framework',
        type=published.tab,
        choices=published.FRAMEWORKS,
        help='whose published runs (default: those of the framework that the '
        'first run was trained with)',
    )
    parser.add_argument(
        '--output',
        default='curves',
        type=options.path,
        help='the picture, as .svg or .png by its ending, without one both',
    )


def run(args):
    """Print how far each run is from the book's, and draw all of them.

    Raises:
        FileNotFoundError: a folder holds no run.
        ValueError: a run is damaged, or has no points yet, or the picture
            has no name that it can have.
        OSError: the picture cannot be written.
    """
    with interrupts.ending():
        from d2l_vgg import figures

    pictures = figures.names(args.output)
    runs = [Run.open(folder) for folder in args.run]
    framework = args.framework or runs[0].framework
    histories = read_histories(args.run, runs)
    for name, history in histories.items():
        print(f'{visible(name)}:')
        print(describe(history, framework))
        print()
    figure = figures.curves(histories, band=published.Band(framework))
    figures.save(figure, args.output)
    print(f'Picture: {", ".join(pictures)}')


def read_histories(folders, runs):
    """Return what the runs recorded, by their names.

    Of several runs of one name, the later ones go by their folders.
    """
    histories = {}
    for folder, found in zip(folders, runs):
        name = found.name if found.name not in histories else folder
        histories[name] = found.history()
    return histories


def describe(history, framework):
    """Return in several lines how far a run is from those of a tab."""
    lines = [
        published.table(published.compare(history, framework)),
        published.verdict(history, framework),
    ]
    remark = published.remark(framework)
    if remark:
        lines.append(remark)
    delay = published.delay(history, framework)
    if delay is not None:
        side = 'behind' if delay >= 0 else 'ahead of'
        lines.append(
            f'Its training loss runs {abs(delay):.2f} epochs {side} the '
            'published mean: initial parameters leave the plateau of the '
            'first guesses sooner or later.'
        )
    return '\n'.join(lines)
