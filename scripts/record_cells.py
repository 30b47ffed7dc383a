"""Record what cells of the chapter print on this machine.

`python scripts/record_cells.py TAB [WHAT...]` runs cells of the chapter and
writes what they print to chapter/results/cells. `claims` train three networks
three times each, `compile` times a compiled network, five times: both write
<what>-<TAB>.txt, below a line about the machine. `pages` runs all cells that
are short, for pages that are built where the framework is missing, and writes
<TAB>/<page>.json.
"""

import contextlib
import io
import sys
from pathlib import Path

import page_cells

from d2l_vgg import frameworks, machine
from d2l_vgg.chapter import builder, recorded
from d2l_vgg.chapter.notebooks import is_code
from d2l_vgg.chapter.project import open_project
from d2l_vgg.files import write_text

CHAPTER = Path(__file__).parents[1] / 'chapter'
# What tells a cell, and how often it runs: a time of one run tells little
WHAT = {'claims': ('train_thrice(arch=', 1), 'compile': ('import time', 5)}


def record(tab, what):
    """Run the definitions of the page and the cell; return its output."""
    shown = {}
    mark, times = WHAT[what]
    for cell in page_cells.read(CHAPTER / 'vgg.md', tab):
        if mark in cell:
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                for _ in range(times):
                    exec(cell, shown)
            return printed.getvalue()
        # What it uses: the imports, with which the page begins, and classes
        if not shown or cell.startswith(('def ', 'class ')):
            exec(cell, shown)
    raise ValueError(f'The page has no cell with {mark!r}.')


def record_pages(tab, where):
    """Run every page and write what its cells print."""
    with open_project(CHAPTER) as project:
        for name, notebook in builder.make(project, tab):
            if any(map(is_code, notebook.cells)):
                recorded.write(notebook, name, tab, where)


def main(tab, *names):
    framework = frameworks.named(tab)
    about, versions = machine.describe(), machine.versions(framework)
    packages = frameworks.FRAMEWORKS[framework].packages
    told = [about['processor'], f'{about["cores"]} cores']
    named = [f'{n} {versions[n]}' for n in packages if n in versions]
    threads = [f'{about["threads"]} threads'] if about['threads'] else []
    for what in names or [*WHAT, 'pages']:
        if what == 'pages':
            record_pages(tab, ', '.join([*told, *named]))
            continue
        where = ', '.join([*told, *threads, *named])
        text = f'{where}\n{record(tab, what)}'
        path = CHAPTER / 'results' / 'cells' / f'{what}-{tab}.txt'
        write_text(path, text)
        print(f'{path}:\n{text}')


if __name__ == '__main__':
    main(*sys.argv[1:])
