"""The chapter as its readers get it: its notebooks, built once."""

import os
import re

import pytest

pytest.importorskip('d2lbook')

import nbformat
from small_chapter import read_notebook

TABS = ['mxnet', 'pytorch', 'tensorflow', 'jax']
PAGES = ['index', 'vgg', 'exercises', 'reproduce']


@pytest.mark.parametrize('tab', TABS)
@pytest.mark.parametrize('name', PAGES)
def test_notebooks_are_clean(built, tab, name):
    folder, _ = built
    notebook = read_notebook(folder, tab, name)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == 'python3'
    installs = "find_spec('d2l_vgg') is None" in notebook.cells[0].source
    assert installs == (name != 'index')  # Which has no code
    text, code = (
        '\n'.join(c.source for c in notebook.cells if c.cell_type == kind)
        for kind in ('markdown', 'code')
    )
    marks = r':\w+:`', r'\[\*\*', r'\*\*\]', r'\(\*\*', 'eval_rst', '<!--'
    for mark in marks:
        assert not re.search(mark, text), mark
    for mark in ('%%tab', 'tab.selected', 'd2lbook'):
        assert mark not in code
    for cell in notebook.cells:
        if cell.cell_type == 'code':
            assert cell.outputs == [] and cell.execution_count is None
    for target in re.findall(r'\]\(([^)#]+)\)', text):
        if '://' not in target:
            where = os.path.join(folder, '_build', 'notebooks', tab, target)
            assert os.path.exists(where), target


def test_cells_ran_and_the_page_shows_what_they_print(built):
    folder, lines = built
    assert 'mxnet: running vgg' in lines
    assert 'mxnet: running exercises' in lines
    with open(os.path.join(folder, '_build', 'html', 'vgg.html')) as file:
        page = re.sub(r'<[^>]+>', '', file.read())
    assert re.search(r'Total +128806154 +7547232256', page)
    assert '(1, 512, 7, 7)' in page
    assert re.search(r'it would take [\d.]+ \w+, so it does not start', page)
    # A run that was cut short is no result
    assert 'This takes about' not in page
