"""The PDF: what LaTeX is told, and a whole one where a LaTeX is."""

import os

import pytest
from small_chapter import project

pytest.importorskip('d2lbook')

from d2l_vgg import pdf_needs
from d2l_vgg.chapter import builder, paper

MARKDOWN = """
| a | b |
|:--|--:|
| one | 2 |

| left | right | middle |
|:-----|------:|:------:|
| a    |     1 |    b   |
"""
RST = """
Page
====

.. raw:: html

   <summary>

Hint

.. raw:: html

   </summary>

=== =
a   b
=== =
one 2
=== =

+------+-------+--------+
| left | right | middle |
+======+=======+========+
| a    | 1     | b      |
+------+-------+--------+

.. raw:: latex

   \\diilbookstyleinputcell

.. code:: python

    x = 1

    x


.. raw:: latex

   \\diilbookstyleoutputcell

.. parsed-literal::
    :class: output

    1

Text.
"""


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    """The page above as LaTeX gets it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'rst').mkdir()
    (tmp_path / 'page.md').write_text(MARKDOWN)
    (tmp_path / 'rst' / 'page.rst').write_text(RST)
    paper.prepare('rst')
    return (tmp_path / 'rst' / 'page.rst').read_text()


def test_what_is_folded_has_a_heading(prepared):
    assert '\n**Hint**\n' in prepared and '<summary>' not in prepared


def test_tables_keep_their_alignment(prepared):
    assert '.. tabularcolumns:: lr\n\n=== =\n' in prepared
    assert '.. tabularcolumns:: lrc\n\n+------+' in prepared


def test_a_cell_stays_on_a_page_with_what_it_printed(prepared):
    before, _, after = prepared.partition(r'\keepwhole')
    assert before.endswith('inputcell\n\n.. raw:: latex\n\n   ')
    # Four lines, and two boxes
    assert after.startswith('{7\\baselineskip}\n\n.. code:: python')
    assert r'\keepwhole' not in after


def test_a_long_output_may_stand_on_the_next_page():
    code = '.. code:: python\n\n    x\n\n'
    output = (
        '.. raw:: latex\n\n   \\diilbookstyleoutputcell\n\n'
        '.. parsed-literal::\n\n' + '    1\n' * 100
    )
    (cell,) = paper.CELL.findall(code + output)
    assert cell == code + output
    kept = paper.CELL.sub(paper._keep_whole, cell)
    assert kept.startswith('.. raw:: latex\n\n   \\keepwhole{3\\base')
    assert paper.CELL.sub(paper._keep_whole, code + '    x\n' * 99) == (
        code + '    x\n' * 99
    )


def test_a_pdf(tmp_path):
    missing = pdf_needs.missing()
    if missing:
        pytest.skip(f'{", ".join(missing)} not found')
    text = f'# Page\n{MARKDOWN}\n'
    text += '```{.python .input}\n%%tab mxnet\nprint(5)\n```\n'
    folder = project(tmp_path / 'small', page=text)
    path = builder.pdf(folder, progress=lambda line: None)
    with open(path, 'rb') as file:
        assert file.read(5) == b'%PDF-'
    log = os.path.splitext(path)[0] + '.log'
    with open(log, encoding='utf-8', errors='replace') as file:
        log = file.read()
    assert 'Missing character' not in log and 'Overfull' not in log
