"""What cells printed elsewhere, for tabs that are not run here."""

import json
from pathlib import Path

from d2l_vgg.chapter import ChapterError
from d2l_vgg.chapter.notebooks import LONG, classes_of, is_code

# Of a page; `scripts/record_cells.py` writes it
PATH = 'results/cells/{}.json'


def fill(notebook, name, tab, only_long=False):
    """Put into the notebook what its cells printed, and a `note` about it.

    A cell that was changed gets nothing, with `only_long` also a short one.
    """
    from nbformat import from_dict

    note, path = 'not shown', Path(PATH.format(name))
    try:
        kept = json.loads(path.read_text('utf-8')) if path.exists() else {}
        if tab in kept.get('where', {}):
            note = f'recorded on {kept["where"][tab]}'
            cells = [cell for cell in kept['cells'] if tab in cell['tabs']]
            outputs = {cell['source']: cell['outputs'] for cell in cells}
            for cell in filter(is_code, notebook.cells):
                if not only_long or LONG in classes_of(cell):
                    cell.outputs = from_dict(outputs.get(cell.source, []))
    except Exception as error:  # A merge can break it in any way
        do = 'remove it, or run scripts/record_cells.py again'
        raise ChapterError(f'{path} is broken ({error!r}): {do}.') from error
    told = 'Cells were not run when this was built: what they print is'
    if not only_long:
        notebook.metadata['note'] = f'{told} {note}.'
