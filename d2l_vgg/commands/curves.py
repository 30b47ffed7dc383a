"""`d2l-vgg curves`: runs beside the book's published ones."""

from d2l_vgg.book import published
from d2l_vgg.commands import options
from d2l_vgg.foreign_text import visible
from d2l_vgg.training.runs import Run


@options.command(
    options.argument(
        'run', 'folders of runs', options.path, nargs=-1, required=True
    ),
    options.framework('whose published runs [that of the first run]'),
    options.option(
        '--output',
        options.path,
        'ending in .svg, .png or nothing: both',
        default='curves',
    ),
)
def curves(run, framework, output):
    """Compare runs with the book's published curves, point by point."""
    from d2l_vgg import figures

    pictures = figures.names(output)
    runs = [Run.open(folder) for folder in run]
    band = published.Band(framework or runs[0].framework)
    histories, others = {}, []
    for folder, found in zip(run, runs):
        name = found.name if found.name not in histories else folder
        histories[name] = found.history()
        if found.info['experiment'] == 'book':
            text = describe(histories[name], band.framework)
        else:
            others.append(name)
            text = (
                "This run is not of the book's experiment, so there is no "
                f'verdict: the picture shows it beside the {band.label}.'
            )
        print(f'{visible(name)}:\n{text}\n')
    note = f"Not the book's experiment: {', '.join(others)}"
    figure = figures.curves(histories, band, note if others else None)
    figures.save(figure, output)
    print(f'Picture: {", ".join(pictures)}')


def describe(history, framework):
    """Return in several lines how far a run is from those of a tab."""
    rows = published.compare(history, framework)
    verdict = published.verdict(history, framework)
    if not rows:
        return verdict
    lines = [published.table(rows), verdict, published.remark(framework)]
    delay = published.delay(history, framework)
    if delay is not None:
        side = 'behind' if delay >= 0 else 'ahead of'
        lines.append(
            f'Its training loss runs {abs(delay):.2f} epochs {side} the '
            'published mean: initial parameters leave the plateau of the '
            'first guesses sooner or later.'
        )
    return '\n'.join(filter(None, lines))
