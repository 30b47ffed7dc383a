"""What cells printed elsewhere, for tabs that are not run here.

`scripts/record_cells.py` records it in the chapter's `results/cells`.
"""

import json
from pathlib import Path

from d2l_vgg.chapter.notebooks import short
from d2l_vgg.files import write_text

PATH = 'results/cells/{}/{}.json'  # Of a tab and a page


def write(notebook, name, tab, where):
    """Record what the cells of d2lbook's notebook printed, run on `where`."""
    cells = [[cell.source, cell.outputs] for cell in short(notebook)]
    text = json.dumps({'where': where, 'cells': cells}, indent=1)
    write_text(PATH.format(tab, name), text + '\n')


def fill(notebook, name, tab):
    """Put into the notebook what its cells printed, and a `note` about it.

    A cell that was changed since then gets nothing.
    """
    from nbformat import from_dict

    note, path = 'not shown', Path(PATH.format(tab, name))
    if path.exists():
        kept = json.loads(path.read_text('utf-8'))
        note, outputs = f'recorded on {kept["where"]}', dict(kept['cells'])
        for cell in short(notebook):
            cell.outputs = from_dict(outputs.get(cell.source, []))
    notebook.metadata['note'] = (
        f'Cells were not run when this was built: what they print is {note}.'
    )
