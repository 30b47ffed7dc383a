"""The notebook of all tabs, from which d2lbook and Sphinx make the page.

d2lbook's own tabs can only be used by a mouse, so HTML of ours stands around
what not all tabs have: text of one tab in a box that tells so, code in panels
below a bar. `page.css` and `page.js` show those of the tab that is chosen.
"""

from d2l_vgg.chapter.notebooks import FOLDED, classes_of, is_code
from d2l_vgg.frameworks import FRAMEWORKS

TITLES = {known.tab: known.title for known in FRAMEWORKS.values()}
FOLD = '<details><summary>Show the code of the solution</summary>'


def merge(notebooks, tabs):
    """Return the notebook of all tabs.

    Args:
        notebooks: of a page, one of each tab that has it, as d2lbook makes
            them, with what their cells print
        tabs: of the project
    """
    from d2lbook import notebook as d2lbook

    merged = d2lbook.merge_tab_notebooks(notebooks)
    groups = d2lbook._merge_tabs(merged, tabs)
    cells = []
    for in_tabs, group in groups:
        if in_tabs and len(notebooks) == 1:
            in_tabs, group = False, group[0][1]
        cells += _box(group, tabs) if in_tabs else _folded(group)
    return d2lbook.create_new_notebook(merged, cells)


def _box(group, tabs):
    """Return the cells of tabs that stand side by side.

    What is the same in all tabs stands once, above or below.
    """
    names = [tab for tab, _ in group]
    columns = [list(cells) for _, cells in group]
    above, below = [], []
    while names == tabs and _all_alike(columns, 0):
        above.append(_with_output([column.pop(0) for column in columns]))
    while names == tabs and _all_alike(columns, -1):
        below.insert(0, _with_output([column.pop() for column in columns]))
    before, panels, after = [], {}, []
    for tab, cells in zip(names, columns):
        code = [i for i, cell in enumerate(cells) if is_code(cell)]
        first, last = (code[0], code[-1] + 1) if code else (len(cells),) * 2
        before += _only(tab, cells[:first])
        after += _only(tab, cells[last:])
        if code:
            panels[tab] = cells[first:last]
    middle = _bar(panels) if panels else []
    cells = above, before, middle, after, below
    return _folded(cell for part in cells for cell in part)


def _all_alike(columns, end):
    """Return whether all have the same cell at this end.

    A cell of a framework that is not installed was not run.
    """
    if not all(columns):
        return False
    cells = [column[end] for column in columns]
    sources = {(is_code(cell), cell.source) for cell in cells}
    outputs = [cell.outputs for cell in cells if cell.get('outputs')]
    return len(sources) == 1 and all(o == outputs[0] for o in outputs)


def _with_output(cells):
    """Return one of cells that are all alike, one that was run if any."""
    return max(cells, key=lambda cell: bool(cell.get('outputs')))


def _only(tab, cells):
    """Return what only one tab has, in a box that tells so."""
    if not cells:
        return []
    return [_html(f'<div data-only="{tab}">'), *cells, _html('</div>')]


def _bar(panels):
    """Return panels of code, over which `page.js` sets a bar of tabs."""
    cells = [_html(f'<div class="tabs" data-only="{" ".join(panels)}">')]
    for tab, content in panels.items():
        title = TITLES.get(tab, tab)
        panel = f'<div data-only="{tab}" data-title="{title}">'
        cells += [_html(panel), *content, _html('</div>')]
    return [*cells, _html('</div>')]


def _folded(cells):
    """Return cells, with those that are folded behind a line to click at."""
    found = []
    for cell in cells:
        if is_code(cell) and FOLDED in classes_of(cell):
            found += [_html(FOLD), cell, _html('</details>')]
        else:
            found.append(cell)
    return found


def _html(text):
    import nbformat

    return nbformat.v4.new_markdown_cell(
        f'```eval_rst\n\n.. raw:: html\n\n    {text}\n```'
    )
