"""Record what cells of the chapter print on this machine.

`python scripts/record_cells.py TAB [WHAT...]` runs them in a tab and writes
what they print to chapter/results/cells. `compile` is the cell of
`chapter/vgg.md` that times compiled networks, five times: it writes
compile-<TAB>.txt, below a line about the machine. `pages` are all cells that
are short, for pages that are built where the framework is missing: they write
<page>.json, in which equal cells of several tabs stand once. `trainings` puts
there what the cells that train printed in the recorded runs.
"""

import contextlib
import csv
import io
import json
import sys
from pathlib import Path

import nbformat
import page_cells

from d2l_vgg import frameworks, machine
from d2l_vgg.chapter import builder, recorded
from d2l_vgg.chapter.notebooks import LONG, classes_of, is_code
from d2l_vgg.chapter.project import open_project
from d2l_vgg.files import write_text

CHAPTER = Path(__file__).parents[1] / 'chapter'
TIMES = 5  # The time of one run tells little
THREADS = {'1': 'one thread', '2': 'two threads'}


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
                add(kept, tab, where, filter(is_code, notebook.cells))
                write_text(path, json.dumps(kept, indent=1) + '\n')


def record_trainings(tab, folder=CHAPTER):
    """Write what the cells that train printed in the recorded runs."""
    told = trainings(tab)
    with open_project(folder) as project:
        for name, notebook in project.notebooks(tab):
            cells = list(filter(is_code, notebook.cells))
            if not cells:
                continue
            path = Path(recorded.PATH.format(name))
            kept = json.loads(path.read_text('utf-8'))
            recorded.fill(notebook, name, tab)
            for cell in cells:
                if LONG in classes_of(cell):
                    cell.outputs = [
                        nbformat.v4.new_output('stream', text=text)
                        for part, text in told.items()
                        if part in cell.source
                    ]
            add(kept, tab, kept['where'][tab], cells)
            write_text(path, json.dumps(kept, indent=1) + '\n')


def trainings(tab):
    """Return what was recorded, by a part of the cell that printed it."""
    framework, results = frameworks.named(tab), CHAPTER / 'results'
    with open(results / 'lesson' / 'seeds.csv', newline='') as file:
        runs = [
            r for r in csv.DictReader(file) if r['framework'] == framework
        ]
    told = {}
    for run in sorted(runs, key=lambda run: run['threads']):
        if run['seed'] == '0' and run['what'] in ('plain', 'normalized'):
            part = f'{run["what"]}_trainer.fit('
            told[part] = last_line(2, run, THREADS[run['threads']])
    quick = (
        'quick/run'
        if framework == 'mxnet'
        else f'frameworks/quick-{framework}'
    )
    run = json.loads((results / f'{quick}.json').read_text('utf-8'))
    part = 'data = d2l_vgg.FashionMNIST(batch_size=128)\n'
    told[part] = last_line(
        3, run['results'], THREADS[run['machine']['threads']]
    )
    accuracies = {}
    for run in runs:
        if (run['family'], run['threads']) == ('', '2'):
            accuracies.setdefault(run['what'], []).append(run['val_acc'])
    if accuracies:
        lines = [
            f'{arch} of {size} x {size}: {" ".join(accuracies[what])}\n'
            for what, arch, size in [
                ('pairs', ((2, 16), (2, 32), (2, 64)), 3),
                ('large', ((1, 16), (1, 32), (1, 64)), 5),
                ('wide', ((1, 32), (1, 64), (1, 128)), 3),
            ]
        ]
        told['train_seeds(arch='] = ''.join(
            ['(recorded with MXNet on an AMD EPYC, two threads)\n', *lines]
        )
    path = results / 'cells' / f'compile-{tab}.txt'
    where, *lines = path.read_text('utf-8').splitlines(keepends=True)
    once = lines[: len(lines) // TIMES]
    told['import time'] = ''.join([f'(recorded on {where.strip()})\n', *once])
    return told


def last_line(epochs, values, threads):
    """Return the line that a trainer prints after the last epoch."""
    named = 'train_loss', 'val_loss', 'val_acc'
    text = ', '.join(f'{name} {float(values[name]):.3f}' for name in named)
    return (
        f'(recorded on an AMD EPYC, {threads}, seed 0)\n'
        f'epoch {epochs}/{epochs}: {text}\n'
    )


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
    for what in names or ['compile', 'pages', 'trainings']:
        if what == 'trainings':
            record_trainings(tab)
            continue
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
