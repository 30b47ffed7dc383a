"""What cells printed elsewhere, for tabs that are not run here.

`scripts/record_cells.py` records it in the chapter's `results/cells`.
"""

import json
import os
from pathlib import Path

from d2l_vgg.chapter.notebooks import LONG, classes_of, is_code
from d2l_vgg.files import write_text


def path_of(name, tab):
    """Return where it is kept for a page."""
    return f'results/cells/{tab}/{name}.json'


def short(notebook):
    """Return the code cells of d2lbook's notebook that do not train."""
    cells = filter(is_code, notebook.cells)
    return [cell for cell in cells if LONG not in classes_of(cell)]


def write(notebook, name, tab, where):
    """Record what the cells of a notebook printed, run on `where`."""
    cells = [[cell.source, cell.outputs] for cell in short(notebook)]
    text = json.dumps({'where': where, 'cells': cells}, indent=1)
    write_text(path_of(name, tab), text + '\n')


def fill(notebook, name, tab):
    """Put into a notebook what its cells printed, and a `note` about it.

    A cell that was changed since then gets nothing.
    """
    import nbformat

    note, kept = 'what they print is not shown', {}
    if os.path.exists(path_of(name, tab)):
        kept = json.loads(Path(path_of(name, tab)).read_text('utf-8'))
        note = f'what they print is recorded ({kept["where"]})'
    outputs = dict(kept.get('cells', []))
    for cell in short(notebook):
        found = outputs.get(cell.source, [])
        cell.outputs = [nbformat.from_dict(output) for output in found]
    note = f'The cells of this page were not run here: {note}.'
    notebook.metadata['note'] = note
