"""The section's notebook in JupyterLab, as a reader uses it, for each tab.

A browser runs all its cells, stops a training, and goes on. This takes a
JupyterLab, a Chromium and the framework; trainings are cut short.
"""

import importlib.util
import re

import pytest

pytest.importorskip('d2lbook')
pytest.importorskip('jupyterlab', reason='JupyterLab is not installed')

import browser
import nbformat
import page_cells
from jupyterlab_page import Notebook, serving
from small_chapter import SOURCE, copy_of

from d2l_vgg import frameworks
from d2l_vgg.chapter import builder

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        browser.CHROMIUM is None, reason='Chromium is not installed'
    ),
]
MINIBATCHES = 100


@pytest.fixture(scope='module')
def lab(tmp_path_factory):
    """The address of a JupyterLab, and its folder: notebooks by tab.

    They end with the cell that can be stopped and goes on.
    """
    chapter = copy_of(SOURCE, tmp_path_factory.mktemp('chapter') / 'chapter')
    builder.build(
        chapter, run_cells=False, page=False, progress=lambda line: None
    )
    folder = tmp_path_factory.mktemp('notebooks')
    for tab in page_cells.TABS:
        notebook = nbformat.read(
            f'{chapter}/_build/notebooks/{tab}/vgg.ipynb', as_version=4
        )
        sources = [cell.source for cell in notebook.cells]
        (last,) = [i for i, text in enumerate(sources) if 'resume=' in text]
        del notebook.cells[last + 1 :]
        (folder / tab).mkdir()
        nbformat.write(notebook, folder / tab / 'vgg.ipynb')
    with serving(
        folder,
        tmp_path_factory.mktemp('settings'),
        D2L_VGG_TRIAL=str(MINIBATCHES),
    ) as address:
        yield address, folder


def wait_for(condition):
    browser.wait_for(condition, seconds=150)


def progress(notebook, number):
    """Return how far a training is, and of how many minibatches."""
    found = re.search(r'(\d+) of (\d+) minibatches', notebook.printed(number))
    return [int(count) for count in found.groups()] if found else []


def stop(notebook, number):
    """Stop a training when its board is there; return how far it was."""
    wait_for(lambda: "'image/svg+xml'" in str(notebook.cell(number)))
    notebook.stop()
    wait_for(lambda: not notebook.is_busy())
    ((kind, sentence),) = notebook.errors(number)
    assert kind == 'Stopped' and re.match('Stopped in [^:]*: .*', sentence)
    text, width = notebook.shown(number)
    assert text.endswith(sentence) and 'Traceback' not in text
    assert ', stopped' in text and 'TRIAL: cut short' in text
    assert width > 300
    return progress(notebook, number)[0]


@pytest.mark.parametrize('tab', page_cells.TABS)
def test_run_all_stop_and_go_on(lab, tab):
    module = frameworks.named(tab)
    if importlib.util.find_spec(module) is None:
        pytest.skip(f'{module} is not installed')
    address, folder = lab
    checkpoint = folder / tab / 'small.checkpoint'
    with browser.Browser() as chromium:
        chromium.set_size(1280, 900)
        notebook = Notebook(chromium, address, f'{tab}/vgg.ipynb')
        *_, training, last = range(len(notebook.code))

        notebook.run_all()
        stop(notebook, training)
        assert notebook.cell(last)['execution_count'] is None

        notebook.run_all()
        wait_for(lambda: notebook.cell(training)['execution_count'])
        done = stop(notebook, last)
        assert notebook.errors(training) == []
        ((_, sentence),) = notebook.errors(last)
        assert 'small.checkpoint' in sentence
        assert checkpoint.exists()

        notebook.run(last)
        wait_for(lambda: ', stopped' not in notebook.printed(last))
        wait_for(lambda: progress(notebook, last))
        assert progress(notebook, last)[0] >= min(done, MINIBATCHES)
        wait_for(lambda: not notebook.is_busy())
        assert notebook.errors(last) == []
        done, total = progress(notebook, last)
        assert done == total
        assert not checkpoint.exists()
        assert notebook.shown(last)[1] > 300
        notebook.close()
