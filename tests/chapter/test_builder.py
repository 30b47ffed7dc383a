"""How any chapter is built, and what fails a build."""

import html
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
import record_cells

pytest.importorskip('mxnet')
pytest.importorskip('d2lbook')

from small_chapter import SOURCE, project, read_notebook, soup_of

from d2l_vgg.chapter import ChapterError, builder, notebooks, recorded
from d2l_vgg.cli import main

CELL = '```{{.python .input}}\n%%tab mxnet\n{}\n```\n'


@pytest.mark.parametrize(
    'text, message',
    [
        ('See :numref:`sec_nowhere`.', 'refers to sec_nowhere'),
        ('See :cite:`nobody`.', 'cites nobody'),
        ('See :eqref:`one`.', 'page.md has :eqref:`one`, a mark'),
        ('See [this](nowhere.html).', 'nowhere.html'),
        ('Text\n\n![A picture](img/none.svg)', 'none.svg'),
        (
            CELL.format('1 / 0'),
            'page.md, tab mxnet, code cell 1: ZeroDivisionError',
        ),
        (
            CELL.format('x = 1') + '\nText\n\n' + CELL.format('x.y'),
            'code cell 2: AttributeError',
        ),
        (
            CELL.format('import os; os._exit(1)'),
            'page.md, tab mxnet, code cell 1: Kernel died',
        ),
    ],
)
def test_what_is_wrong_fails_the_build(tmp_path, text, message):
    folder = project(tmp_path / 'small', page=f'# Page\n\n{text}\n')
    with pytest.raises(builder.ChapterError, match=re.escape(message)):
        builder.build(folder)


def test_output_is_kept_when_asked_for_but_not_of_trainings(tmp_path):
    code = CELL.format("print('short')") + '\n'
    code += CELL.format("print('long')").replace('input', 'input .long')
    folder = project(tmp_path / 'small', page='# Page\n\n' + code)
    for keep in (False, True):
        builder.build(folder, page=False, keep_output=keep)
        cells = read_notebook(folder, 'mxnet', 'page').cells
        cells = [cell for cell in cells if cell.cell_type == 'code']
        printed = [[o.text for o in cell.outputs] for cell in cells]
        assert printed == ([['short\n'], []] if keep else [[], []])


def test_the_copy_of_a_reader_is_never_written_over(
    tmp_path, monkeypatch, capsys
):
    """Also where no mode can be set."""

    def refuse(*args, **options):
        raise PermissionError(1, 'Operation not permitted')

    folder = project(tmp_path / 'small', page='# Page\n\nText\n')
    mine = tmp_path / 'mine' / 'mxnet'
    command = ['chapter', folder, '--only', 'notebooks', '--copy-to']
    assert main([*command, str(tmp_path / 'mine')]) == 0
    (mine / 'page.ipynb').write_text('years of work')
    (mine / 'index.ipynb').unlink()
    monkeypatch.setattr(os, 'chmod', refuse)
    builder.hand_out(f'{folder}/_build/notebooks', tmp_path / 'mine')
    assert (mine / 'page.ipynb').read_text() == 'years of work'
    assert (mine / 'index.ipynb').exists()
    assert 'never written over' in capsys.readouterr().out


def test_cells_are_not_run_without_the_framework(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(notebooks.NEEDS, 'mxnet', ['framework_of_tomorrow'])
    text = '# Page\n\n' + CELL.format('1 / 0')
    folder = project(tmp_path / 'small', page=text)
    builder.build(folder)
    told = capsys.readouterr().out
    assert 'mxnet: page not run, framework_of_tomorrow missing' in told
    note = soup_of(folder, 'page').select_one('.note').text
    assert note.endswith('what they print is not shown.')


def test_recorded_output_is_shown_where_cells_are_not_run(tmp_path):
    text = '# Page\n\n[**One idea.**] Two.\n\n' + CELL.format("print('new')")
    folder = project(tmp_path / 'small', page='')
    path = tmp_path / 'small' / 'page.md'
    for word in 'old', 'new':
        path.write_text(text.replace('new', word))
        record_cells.record_pages('mxnet', f'a {word} machine', folder)
    kept = json.loads(
        (path.parent / recorded.PATH.format('page')).read_text()
    )
    assert [cell['tabs'] for cell in kept['cells']] == [['mxnet']]
    builder.build(folder, run_cells=False)
    page = soup_of(folder, 'page')
    assert page.select_one('.output').text.strip() == 'new'
    note = page.select_one('.note').text
    assert note.endswith('what they print is recorded on a new machine.')
    slides = soup_of(folder, 'slides/mxnet/page')
    assert 'recorded on a new machine' in slides.text
    assert slides.select_one('.jp-OutputArea').text.strip() == 'new'
    # A cell that was changed gets none
    path.write_text(text.replace('new', 'changed'))
    builder.build(folder, run_cells=False)
    assert not soup_of(folder, 'page').select('.output')
    path = os.path.join(folder, recorded.PATH.format('page'))
    for broken in '{"where": {"mxnet"', '[]', '{"where": {"mxnet": "here"}}':
        with open(path, 'w') as file:
            file.write(broken)
        with pytest.raises(ChapterError, match=r'page\.json is broken .*run'):
            builder.build(folder, run_cells=False)


def test_slides_are_built_alone_and_anew(tmp_path):
    page = '# Page\n\n[**One idea.**] And more.\n\n' + CELL.format('print(5)')
    folder = project(tmp_path / 'small', page=page)
    for thought in 'idea', 'word':
        with open(os.path.join(folder, 'page.md'), 'w') as file:
            file.write(page.replace('idea', thought))
        path = builder.slides(folder)
        assert path.endswith('slides/mxnet')
        with open(os.path.join(path, 'page.html')) as file:
            text = file.read()
        assert f'One {thought}' in text and 'And more' not in text
        assert 'jp-OutputArea' in text
        for link in re.findall(r'(?:href|src)="([^"#]+)"', text):
            assert os.path.exists(os.path.join(path, link)), link


ANY = """```{.python .input}
%load_ext d2lbook.tab
tab.interact_select('mxnet', 'pytorch')
```

# (**Another Chapter**)
:label:`sec_other`

As :numref:`sec_first` says, and :citet:`known`, see :numref:`fig_dot`.

![A dot.](../img/dot.svg)
:width:`40px`
:label:`fig_dot`

```{.python .input}
%%tab mxnet, pytorch
if tab.selected('mxnet'):
    name = 'mxnet'
if tab.selected('pytorch'):
    name = 'pytorch'
name
```

:begin_tab:`pytorch`
Only here.
:end_tab:
"""


def test_any_chapter_with_tabs_can_be_built(tmp_path):
    """Its pages may lie in folders and use each of d2lbook's marks."""
    folder = tmp_path / 'book'
    project(folder, **{'part/first': '', 'part/other': ''})
    config = folder / 'config.ini'
    text = config.read_text().replace('= *.md', '= *.md */*.md')
    config.write_text(text.replace('resources =', 'resources = img/'))
    index = folder / 'index.md'
    text = index.read_text().replace('```toc\n', '```toc\n:numbered:\n')
    bibliography = '\n```eval_rst\n.. bibliography::\n```\n'
    index.write_text(text + bibliography)
    (folder / 'img').mkdir()
    (folder / 'img' / 'dot.svg').write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
    )
    (folder / 'part' / 'first.md').write_text(
        '# First\n:label:`sec_first`\n\nText.\n'
    )
    (folder / 'part' / 'other.md').write_text(ANY)
    builder.build(str(folder))
    notebook = read_notebook(folder, 'mxnet', 'part/other')
    text = '\n'.join(cell.source for cell in notebook.cells)
    assert 'As [First](first.ipynb) says, and Known (2000)' in text
    assert 'see Fig. 1.' in text and '*Fig. 1: A dot.*' in text
    assert 'Only here' not in text and "name = 'mxnet'" in text
    assert 'pytorch' not in text
    page = folder / '_build' / 'html' / 'part' / 'other.html'
    text = re.sub(r'<[^>]+>', '', page.read_text())
    assert "'mxnet'" in html.unescape(text)
    builder.build(str(folder), run_cells=False, page=False)
    assert page.exists()  # Notebooks alone leave the page


def test_a_chapter_is_built_by_one_process_at_a_time(tmp_path, capsys):
    folder = project(tmp_path / 'small', one='# One\n')
    holder = subprocess.Popen(
        [sys.executable, '-c', HOLD, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout.readline() == 'held\n'
        assert main(['chapter', folder]) == 1
        assert 'Another process builds the chapter' in capsys.readouterr().err
        assert not os.path.exists(os.path.join(folder, '_build'))
        holder.stdin.close()
    builder.build(folder, page=False)


HOLD = """
import sys
from d2l_vgg.chapter.project import open_project
with open_project(sys.argv[1]):
    print('held', flush=True)
    sys.stdin.read()
"""


def test_a_pdf_has_every_character_and_picture(tmp_path):
    missing = [p for p in builder.PDF_PROGRAMS if not shutil.which(p)]
    if missing:
        pytest.skip(f'{", ".join(missing)} not found')
    text = '# Page\n\n| a | b |\n|---|--:|\n| one | 2 |\n\n'
    text += CELL.format('print(5)')
    folder = project(tmp_path / 'small', page=text)
    path = builder.pdf(folder)
    with open(path, 'rb') as file:
        assert file.read(5) == b'%PDF-'
    log = os.path.splitext(path)[0] + '.log'
    with open(log, encoding='utf-8', errors='replace') as file:
        assert 'Missing character' not in file.read()


def test_page_and_pdf_leave_each_other(tmp_path, monkeypatch):
    from d2lbook.build import Builder

    def make_pdf(self):
        os.makedirs(self.config.pdf_dir)
        with open(f'{self.config.pdf_dir}/small.pdf', 'w'):
            pass

    monkeypatch.setattr(builder, 'PDF_PROGRAMS', {})
    monkeypatch.setattr(Builder, 'pdf', make_pdf)
    folder = project(tmp_path / 'small', page='# Page\n\nText\n')
    page = builder.build(folder)
    pdf = builder.pdf(folder)
    assert os.path.exists(page)
    builder.build(folder)
    assert os.path.exists(pdf)
    assert builder.pdf(folder) == pdf  # In place of the old one


def test_the_pdf_says_what_it_needs(tmp_path, monkeypatch):
    monkeypatch.setenv('PATH', str(tmp_path))
    with pytest.raises(builder.ChapterError, match='apt install texlive'):
        builder.pdf(SOURCE)


def test_not_a_project(tmp_path):
    with pytest.raises(builder.ChapterError, match='no d2lbook project'):
        builder.build(str(tmp_path))
