"""Record what cells of the chapter print on this machine.

`python scripts/record_cells.py TAB` runs those of `chapter/vgg.md` that train
three networks three times each, and, five times, those that time a compiled
network, and writes what they print to chapter/results/cells/<what>-<TAB>.txt,
below a line about the machine.
"""

import contextlib
import io
import sys
from pathlib import Path

import page_cells

from d2l_vgg import frameworks, machine
from d2l_vgg.files import write_text

CHAPTER = Path(__file__).parents[1] / 'chapter'
# What tells each cell that is recorded
WHAT = {'claims': 'train_thrice(arch=', 'compile': 'import time'}
# A time of one run tells little
TIMES = {'claims': 1, 'compile': 5}


def record(tab, what):
    """Run the definitions of the page and the cell; return its output."""
    shown = {}
    for cell in page_cells.read(CHAPTER / 'vgg.md', tab):
        if WHAT[what] in cell.source:
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                for _ in range(TIMES[what]):
                    exec(cell.source, shown)
            return printed.getvalue()
        # What it uses: the imports, with which the page begins, and classes
        if not shown or cell.source.startswith(('def ', 'class ')):
            exec(cell.source, shown)
    raise ValueError(f'The page has no cell with {WHAT[what]!r}.')


def main(tab, *names):
    framework = frameworks.named(tab)
    about, versions = machine.describe(), machine.versions(framework)
    packages = frameworks.FRAMEWORKS[framework].packages
    told = [about['processor'], f'{about["cores"]} cores']
    if about['threads']:
        told.append(f'{about["threads"]} threads')
    told += [f'{n} {versions[n]}' for n in packages if n in versions]
    head = ', '.join(told)
    for what in names or WHAT:
        printed = record(tab, what)
        path = CHAPTER / 'results' / 'cells' / f'{what}-{tab}.txt'
        path.parent.mkdir(exist_ok=True)
        write_text(str(path), f'{head}\n{printed}')
        print(f'{path}:\n{head}\n{printed}')


if __name__ == '__main__':
    main(*sys.argv[1:])
