"""The notebook of all tabs, from which d2lbook and Sphinx make the page.

d2lbook's own tabs can only be used by a mouse, so HTML of ours stands around
what not all tabs have: text of one tab in a box that tells so, code in panels
below a bar. `page.css` and `page.js` show those of the tab that is chosen.
"""

import itertools

from d2l_vgg.chapter.notebooks import FOLDED, classes_of, is_code
from d2l_vgg.frameworks import FRAMEWORKS

TITLES = {known.tab: known.title for known in FRAMEWORKS.values()}
FOLD = '<details><summary>Show the code of the solution</summary>'


def merge(notebooks, tabs):
    """Return the notebook of all tabs of the project.

    `notebooks` are d2lbook's of a page, one of each tab that has it, with
    what their cells print.
    """
    from d2lbook import notebook as d2lbook

    merged = d2lbook.merge_tab_notebooks(notebooks)
    cells = []
    for in_tabs, group in d2lbook._merge_tabs(merged, tabs):
        if in_tabs:
            group = _box(group, tabs) if len(notebooks) > 1 else group[0][1]
        cells += group
    return d2lbook.create_new_notebook(merged, list(_folded(cells)))


def _box(group, tabs):
    """Return the cells of tabs that stand side by side.

    What is the same in all tabs stands once, above or below.
    """
    names = [tab for tab, _ in group]
    columns = [list(cells) for _, cells in group]
    above = _shared(columns, 0) if names == tabs else []
    below = _shared(columns, -1)[::-1] if names == tabs else []
    before, panels, after, with_code = [], [], [], []
    for tab, cells in zip(names, columns):
        only = f'data-only="{tab}"'
        code = [i for i, cell in enumerate(cells) if is_code(cell)]
        first, last = (code[0], code[-1] + 1) if code else (len(cells),) * 2
        before += _div(only, cells[:first])
        after += _div(only, cells[last:])
        title = f'data-title="{TITLES.get(tab, tab)}"'
        panels += _div(f'{only} {title}', cells[first:last])
        with_code += [tab] if code else []
    # `page.js` sets a bar of tabs over it
    bar = _div(f'class="tabs" data-only="{" ".join(with_code)}"', panels)
    return [*above, *before, *bar, *after, *below]


def _shared(columns, end):
    """Take from one end of the columns the cells that all have; return them.

    A cell of a framework that is not installed was not run.
    """
    shared = []
    while all(columns):
        cells = [column[end] for column in columns]
        outputs = [cell.outputs for cell in cells if cell.get('outputs')]
        if len({(is_code(cell), cell.source) for cell in cells}) > 1:
            break
        if any(each != outputs[0] for each in outputs):
            break
        shared.append(max(cells, key=lambda cell: bool(cell.get('outputs'))))
        for column in columns:
            column.pop(end)
    return shared


def _div(attributes, cells):
    return cells and [_html(f'<div {attributes}>'), *cells, _html('</div>')]


def _folded(cells):
    """Yield cells, those that are folded behind a line to click at."""
    for folded, group in itertools.groupby(
        cells, lambda cell: FOLDED in classes_of(cell)
    ):
        if folded:
            group = [_html(FOLD), *group, _html('</details>')]
        yield from group


def _html(text):
    import nbformat

    return nbformat.v4.new_markdown_cell(
        f'```eval_rst\n\n.. raw:: html\n\n    {text}\n```'
    )
