"""The chapter as its readers get it: its notebooks, built once."""

import json
import os
import re

import pytest
import record_cells

pytest.importorskip('d2lbook')

import nbformat
from small_chapter import SOURCE, read_notebook

from d2l_vgg.chapter import notebooks, recorded
from d2l_vgg.chapter.project import open_project

TABS = ['mxnet', 'pytorch', 'tensorflow', 'jax']
PAGES = ['index', 'vgg', 'exercises', 'reproduce']


@pytest.mark.parametrize('tab', TABS)
@pytest.mark.parametrize('name', PAGES)
def test_notebooks_are_clean(built, tab, name):
    folder, _ = built
    notebook = read_notebook(folder, tab, name)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == 'python3'
    assert notebook.cells[0].source.startswith('# ')
    if name != 'index':  # Which has no code
        first = notebook.cells[1]
        assert "find_spec('d2l_vgg') is None" in first.source
        assert first.metadata['jupyter'] == {'source_hidden': True}
    text, code = (
        '\n'.join(c.source for c in notebook.cells if c.cell_type == kind)
        for kind in ('markdown', 'code')
    )
    marks = r':\w+:`', r'\[\*\*', r'\*\*\]', r'\(\*\*', 'eval_rst', '<!--'
    assert 'data-live' not in text
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


@pytest.mark.parametrize('tab', TABS)
def test_recorded_output_is_of_the_cells_as_they_are(tab):
    """Otherwise run `scripts/record_cells.py TAB pages`."""
    with open_project(SOURCE) as project:
        for name, notebook in project.notebooks(tab):
            if any(map(notebooks.is_code, notebook.cells)):
                with open(recorded.PATH.format(name)) as file:
                    cells = json.load(file)['cells']
                kept = {c['source'] for c in cells if tab in c['tabs']}
                code = filter(notebooks.is_code, notebook.cells)
                assert kept == {cell.source for cell in code}


@pytest.mark.parametrize('tab', TABS)
def test_cells_that_train_show_what_the_records_tell(tab):
    """Otherwise run `scripts/record_cells.py TAB trainings`."""
    path = os.path.join(SOURCE, recorded.PATH.format('vgg'))
    with open(path) as file:
        cells = [c for c in json.load(file)['cells'] if tab in c['tabs']]
    texts = [o.get('text', '') for c in cells for o in c['outputs']]
    told = {text for text in texts if text.startswith('(recorded')}
    assert told == set(record_cells.trainings(tab).values())


def test_cells_ran_and_the_page_shows_what_they_print(built):
    folder, lines = built
    assert 'mxnet: running vgg' in lines
    assert 'mxnet: running exercises' in lines
    with open(os.path.join(folder, '_build', 'html', 'vgg.html')) as file:
        page = re.sub(r'<[^>]+>', '', file.read())
    assert re.search(r'Total +128,806,154 +7,547,232,256', page)
    assert '(1, 512, 7, 7)' in page
    # A run that was cut short is no result
    assert 'minibatches, about' not in page
