"""Draw the curves of the recorded runs, into chapter/results.

`python scripts/draw_curves.py [FOLDER]` writes curves.svg and curves.png for
each run there, as `d2l-vgg train` would write them into a folder of runs.
"""

import sys
from pathlib import Path

from d2l_vgg import figures
from d2l_vgg.book import published
from d2l_vgg.training.runs import Run

RESULTS = Path(__file__).parents[1] / 'chapter' / 'results'


def main(folder=RESULTS):
    """Write the pictures into folders of the runs' names in `folder`."""
    for record in sorted(RESULTS.glob('*/run.json')):
        run = Run.open(record.parent)
        is_the_books = run.info['experiment'] == 'book'
        band = published.Band(run.framework) if is_the_books else None
        figure = figures.curves({run.name: run.history()}, band=band)
        figures.save(figure, Path(folder, record.parent.name, 'curves'))


if __name__ == '__main__':
    main(*sys.argv[1:2])
