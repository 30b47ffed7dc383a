"""Record what cells of the chapter print on this machine.

`python scripts/record_cells.py TAB [WHAT...]` runs them in a tab and writes
what they print to chapter/results/cells. `compile` is the cell of
`chapter/vgg.md` that times compiled networks, five times: it writes
compile-<TAB>.txt, below a line about the machine. `pages` are all cells that
are short, for pages that are built where the framework is missing: they write
<page>.json, in which equal cells of several tabs stand once.
"""

import contextlib
import io
import json
import sys
from pathlib import Path

import page_cells

from d2l_vgg import frameworks, machine
from d2l_vgg.chapter import builder, recorded
from d2l_vgg.chapter.notebooks import is_code, short
from d2l_vgg.chapter.project import open_project
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


def record_pages(tab, where, folder=CHAPTER):
    """Run every page in a tab and write what its cells print."""
    with open_project(folder) as project:
        for name, notebook in builder.make(project, tab):
            if any(map(is_code, notebook.cells)):
                path = Path(recorded.PATH.format(name))
                kept = {'where': {}, 'cells': []}
                if path.exists():
                    kept = json.loads(path.read_text('utf-8'))
                add(kept, tab, where, short(notebook))
                write_text(path, json.dumps(kept, indent=1) + '\n')


def add(kept, tab, where, cells):
    """Put the cells of a tab in the place of its earlier ones."""
    kept['where'][tab] = where
    for cell in kept['cells']:
        cell['tabs'] = [name for name in cell['tabs'] if name != tab]
    for cell in cells:
        new = {'source': cell.source, 'outputs': cell.outputs}
        for old in kept['cells']:
            if {**old, **new} == old:
                old['tabs'] = sorted([*old['tabs'], tab])
                break
        else:
            kept['cells'].append({'tabs': [tab], **new})
    kept['cells'] = [cell for cell in kept['cells'] if cell['tabs']]


def main(tab, *names):
    framework = frameworks.named(tab)
    about, versions = machine.describe(), machine.versions(framework)
    packages = frameworks.FRAMEWORKS[framework].packages
    told = [about['processor'], f'{about["cores"]} cores']
    named = [f'{n} {versions[n]}' for n in packages if n in versions]
    threads = [f'{about["threads"]} threads'] if about['threads'] else []
    for what in names or ['compile', 'pages']:
        if what == 'pages':
            record_pages(tab, ', '.join([*told, *named]))
            continue
        where = ', '.join([*told, *threads, *named])
        text = f'{where}\n{record(tab)}'
        path = CHAPTER / 'results' / 'cells' / f'compile-{tab}.txt'
        write_text(path, text)
        print(f'{path}:\n{text}')


if __name__ == '__main__':
    main(*sys.argv[1:])
