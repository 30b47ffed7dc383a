"""Record what the cell that times compiled networks prints on this machine.

`python scripts/record_cells.py TAB...` runs it five times in each tab of
`chapter/vgg.md`, and writes what it prints to
chapter/results/cells/compile-<TAB>.txt, below a line about the machine.
"""

import contextlib
import io
import sys
from pathlib import Path

import page_cells

from d2l_vgg import frameworks, machine
from d2l_vgg.files import write_text

CHAPTER = Path(__file__).parents[1] / 'chapter'
TIMES = 5  # The time of one run tells little


def record(tab):
    """Run the definitions of the page and the cell; return its output."""
    shown = {}
    for cell in page_cells.read(CHAPTER / 'vgg.md', tab):
        if cell.startswith('import time'):
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                for _ in range(TIMES):
                    exec(cell, shown)
            return printed.getvalue()
        # What it uses: the imports, with which the page begins, and classes
        if not shown or cell.startswith(('def ', 'class ')):
            exec(cell, shown)
    raise ValueError('The page has no cell that begins with import time.')


def main(*tabs):
    for tab in tabs:
        framework = frameworks.named(tab)
        about, versions = machine.describe(), machine.versions(framework)
        packages = frameworks.FRAMEWORKS[framework].packages
        told = [about['processor'], f'{about["cores"]} cores']
        if about['threads']:
            told.append(f'{about["threads"]} threads')
        told += [f'{n} {versions[n]}' for n in packages if n in versions]
        text = f'{", ".join(told)}\n{record(tab)}'
        path = CHAPTER / 'results' / 'cells' / f'compile-{tab}.txt'
        write_text(path, text)
        print(f'{path}:\n{text}')


if __name__ == '__main__':
    main(*sys.argv[1:])
