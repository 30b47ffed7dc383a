"""The first cell of the notebooks, where the project is and where not."""

import os
import shutil
import subprocess
import sys

import pytest
from small_chapter import SOURCE

pytest.importorskip('d2lbook')

from d2l_vgg.chapter.project import open_project

ROOT = os.path.join(os.path.dirname(__file__), '..', '..')
# A Python that does not see this project where it is
WITHOUT = f"""
import os, sys
sys.meta_path[:] = [
    finder for finder in sys.meta_path
    if '__editable__' not in str(getattr(finder, '__module__', ''))]
sys.path[:] = [path for path in sys.path
               if os.path.realpath(path) != {os.path.realpath(ROOT)!r}
               or not os.path.isdir(os.path.join(path, 'tests'))]
"""


def first_cell(tab, code):
    """Return the first cell of a notebook of `tab` with this code."""
    import nbformat

    from d2l_vgg.chapter import notebooks

    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(code, metadata={'origin_pos': 0})]
    )
    with open_project(SOURCE) as project:
        clean = notebooks.clean(notebook, 'vgg', project, tab)
    return clean.cells[0].source


def run(cell, folder, **environment):
    path = folder / 'cell.ipy'
    path.write_text(cell + '\nimport d2l_vgg\nprint(d2l_vgg.__file__)\n')
    return subprocess.run(
        [sys.executable, '-m', 'IPython', '--no-banner', str(path)],
        cwd=folder,
        env={**os.environ, 'PIP_NO_INDEX': '1', **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ).stdout


def test_it_does_nothing_where_all_is_here_but_tells_what_is(tmp_path):
    pytest.importorskip('mxnet')
    cell = first_cell('mxnet', 'from d2l_vgg import mxnet as d2l_vgg')
    printed = run(cell, tmp_path, D2L_VGG_TRIAL='3', PYTHONPATH=ROOT)
    assert 'mxnet 1.9.1' in printed and 'GPU' in printed
    assert 'SMOKE TEST: cut short to 3 minibatches' in printed
    assert 'pip' not in printed


def test_it_installs_the_project_where_that_is_missing(tmp_path):
    """From its wheel, as an empty machine without a network would."""
    source, site = tmp_path / 'source', tmp_path / 'site'
    source.mkdir()
    site.mkdir()
    for name in 'setup.py', 'README.md', 'pyproject.toml':
        shutil.copy(os.path.join(ROOT, name), source)
    shutil.copytree(os.path.join(ROOT, 'd2l_vgg'), source / 'd2l_vgg')
    (tmp_path / 'sitecustomize.py').write_text(WITHOUT)
    environment = {
        'PYTHONPATH': os.pathsep.join([str(tmp_path), str(site)]),
        'PIP_NO_DEPS': '1',
        'PIP_TARGET': str(site),
    }
    cell = first_cell('pytorch', 'from d2l_vgg.networks import costs')
    printed = run(cell, tmp_path, **environment)
    assert 'Upload the wheel of this project' in printed
    subprocess.run(
        [sys.executable, '-m', 'pip', 'wheel', '-q', '--no-deps']
        + ['--no-build-isolation', '--no-index', '-w', tmp_path, source],
        check=True,
    )
    printed = run(cell, tmp_path, **environment)
    assert str(site / 'd2l_vgg' / '__init__.py') in printed
    # The page's frame, style and scripts are part of it
    assert (site / 'd2l_vgg' / 'chapter' / 'layout.html').exists()
