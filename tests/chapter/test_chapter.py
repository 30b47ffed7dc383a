"""The chapter as its readers get it: the notebooks, and how it is built.

The chapter is built once for these tests, with its cells run.
"""

import html
import os
import pathlib
import re
import subprocess
import sys

import pytest

pytest.importorskip('mxnet')
pytest.importorskip('d2lbook')

import nbformat
from small_chapter import SOURCE, copy_of, project

from d2l_vgg.chapter import builder
from d2l_vgg.chapter.marks import Marks
from d2l_vgg.cli import main

TABS = ['mxnet', 'pytorch', 'tensorflow', 'jax']
PAGES = ['index', 'vgg', 'exercises', 'reproduce']


def read_notebook(folder, tab, name):
    path = os.path.join(folder, '_build', 'notebooks', tab, name + '.ipynb')
    return nbformat.read(path, as_version=4)


# -------------------------------------------------------------- notebooks


@pytest.mark.parametrize('tab', TABS)
@pytest.mark.parametrize('name', PAGES)
def test_notebook_is_clean(built, tab, name):
    notebook = read_notebook(built[0], tab, name)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == 'python3'
    installs = "find_spec('d2l_vgg') is None" in notebook.cells[0].source
    assert installs == (name != 'index')  # Which has no code
    text, code = (
        '\n'.join(c.source for c in notebook.cells if c.cell_type == kind)
        for kind in ('markdown', 'code')
    )
    for mark in (r':\w+:`', r'\[\*\*', r'\*\*\]', r'\(\*\*', r'eval_rst'):
        assert not re.search(mark, text), mark
    for mark in ('%%tab', 'tab.selected', 'd2lbook'):
        assert mark not in code
    for cell in notebook.cells:
        if cell.cell_type == 'code':
            assert cell.outputs == [] and cell.execution_count is None
    for target in re.findall(r'\]\(([^)#]+)\)', text):
        if '://' not in target:
            where = os.path.join(built[0], '_build', 'notebooks', tab, target)
            assert os.path.exists(where), target


def test_notebooks_hold_their_own_tab_only(built):
    for tab, own in zip(TABS, ['mxnet', 'torch', 'tensorflow', 'jax']):
        code = [
            cell.source
            for cell in read_notebook(built[0], tab, 'vgg').cells
            if cell.cell_type == 'code'
        ]
        imports = '\n'.join(code)
        assert f'import {own}' in imports or f'from {own}' in imports
        for other in {'mxnet', 'torch', 'tensorflow', 'jax'} - {own}:
            assert f'import {other}' not in imports


def test_citations_and_references_are_readable(built):
    notebook = read_notebook(built[0], 'mxnet', 'vgg')
    text = '\n'.join(cell.source for cell in notebook.cells)
    text = ' '.join(text.split())
    assert '(Simonyan and Zisserman, 2014)' in text
    assert 'Simonyan and Zisserman (2014) asked' in text
    assert 'as Fig. 1 shows' in text
    assert '](exercises.ipynb)' in text
    # The reference itself, by author and year as in the text
    assert 'Simonyan, K., & Zisserman, A. (2014). Very deep' in text


def test_cells_ran_and_the_page_shows_what_they_print(built):
    folder, lines = built
    assert 'mxnet: running vgg' in lines
    assert 'mxnet: running exercises' in lines
    with open(os.path.join(folder, '_build', 'html', 'vgg.html')) as file:
        page = re.sub(r'<[^>]+>', '', file.read())
    assert re.search(r'Total +128806154 +7547232256', page)
    assert '(1, 512, 7, 7)' in page
    # A run that was cut short is no result
    assert 'This takes about' not in page


@pytest.mark.parametrize('name', ['vgg', 'exercises'])
def test_nbconvert_executes_the_notebook(built, name):
    folder = os.path.join(built[0], '_build', 'notebooks', 'mxnet')
    done = subprocess.run(
        [sys.executable, '-m', 'nbconvert', '--to', 'notebook', '--execute']
        + [name + '.ipynb', '--output', 'executed'],
        cwd=folder,
        env={
            **os.environ,
            'D2L_VGG_TRIAL': '1',
            'JUPYTER_PREFER_ENV_PATH': '1',
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    path = os.path.join(folder, 'executed.ipynb')
    executed = nbformat.read(path, as_version=4)
    os.remove(path)
    printed = [
        output.get('text') or output.get('data', {}).get('text/plain', '')
        for cell in executed.cells
        if cell.cell_type == 'code'
        for output in cell.outputs
    ]
    printed = ''.join(printed)
    if name == 'vgg':
        assert re.search(r'Total +128806154 +7547232256', printed)
        # The training whose history is shown, and those in which three
        # networks are compared
        assert 'val_acc' in printed
        compared = re.findall(r'of \d x \d:(?: 0\.\d{4}){3}$', printed, re.M)
        assert len(compared) == 3
    else:
        assert '143667240 parameters' in printed
        assert '(2, 10)' in printed


# ------------------------------------------------------------- what is wrong


CELL = '```{{.python .input}}\n%%tab mxnet\n{}\n```\n'


@pytest.mark.parametrize(
    'text, message',
    [
        ('See :numref:`sec_nowhere`.', 'refers to sec_nowhere'),
        ('See :cite:`nobody`.', 'cites nobody'),
        ('See [this](nowhere.html).', 'nowhere.html'),
        ('Text\n\n![A picture](img/none.svg)', 'none.svg'),
        (CELL.format('1 / 0'), 'page.md, tab mxnet, code cell 1 raised'),
        (
            CELL.format('x = 1') + '\nText\n\n' + CELL.format('x.y'),
            'code cell 2 raised AttributeError',
        ),
    ],
)
def test_what_is_wrong_fails_the_build(tmp_path, text, message):
    folder = project(tmp_path / 'small', page=f'# Page\n\n{text}\n')
    with pytest.raises(builder.ChapterError, match=re.escape(message)):
        builder.build(folder, progress=lambda line: None)


def test_a_kernel_that_dies_is_named_with_its_cell(tmp_path):
    code = CELL.format('x = 1') + '\n' + CELL.format('import os; os._exit(1)')
    folder = project(tmp_path / 'small', page='# Page\n\n' + code)
    message = 'page.md, tab mxnet, code cell 2 made its kernel die'
    with pytest.raises(builder.ChapterError, match=message):
        builder.build(folder, page=False, progress=lambda line: None)


def test_output_is_kept_when_asked_for_but_not_of_trainings(tmp_path):
    code = CELL.format("print('short')") + '\n'
    code += CELL.format("print('long')").replace('input', 'input .long')
    folder = project(tmp_path / 'small', page='# Page\n\n' + code)
    for keep in (False, True):
        builder.build(
            folder, page=False, keep_output=keep, progress=lambda line: None
        )
        cells = read_notebook(folder, 'mxnet', 'page').cells
        cells = [cell for cell in cells if cell.cell_type == 'code']
        printed = [[o.text for o in cell.outputs] for cell in cells]
        assert printed == ([['short\n'], []] if keep else [[], []])


def test_the_copy_of_a_reader_is_never_written_over(tmp_path, capsys):
    folder = project(tmp_path / 'small', page='# Page\n\nText\n')
    mine = tmp_path / 'mine' / 'mxnet'
    command = ['chapter', folder, '--only', 'notebooks', '--copy-to']
    assert main([*command, str(tmp_path / 'mine')]) == 0
    (mine / 'page.ipynb').write_text('years of work')
    (mine / 'index.ipynb').unlink()
    assert main([*command, str(tmp_path / 'mine')]) == 0
    assert (mine / 'page.ipynb').read_text() == 'years of work'
    assert (mine / 'index.ipynb').exists()
    assert 'never written over' in capsys.readouterr().out


def test_a_page_is_not_run_without_what_it_imports(tmp_path):
    lines = []
    folder = project(
        tmp_path / 'small',
        page='# Page\n\n' + CELL.format('import framework_of_tomorrow'),
        other='# Other\n\n' + CELL.format('%time x = 1'),
    )
    builder.build(folder, page=False, progress=lines.append)
    assert 'mxnet: page not run, framework_of_tomorrow missing' in lines
    assert 'mxnet: running other' in lines


def test_a_work_of_any_kind_can_be_cited():
    from pybtex.database import parse_string

    entries = parse_string(
        r"""
        @software{tool, author = {{Google Brain}}, title = {A Tool}}
        @article{short, author = {van der Maaten, Laurens}, title = {Short},
            year = 2008}
        @misc{nobody, title = {Without {Author}}, year = 1999}
        """,
        'bibtex',
    ).entries
    marks = Marks(entries)
    cited = []
    text = ':cite:`tool,short` and :citet:`nobody` and :func:`f`'
    assert marks.replace(text, 'page', cited) == (
        '(Google Brain, n.d.; van der Maaten, 2008) and Without Author '
        '(1999) and `f`'
    )
    references = [marks.reference(key) for key in cited]
    assert 'A Tool' in references[0] and 'Short' in references[1]


def test_the_pdf_says_what_it_needs(tmp_path, monkeypatch):
    monkeypatch.setenv('PATH', str(tmp_path))
    with pytest.raises(builder.ChapterError, match='apt install texlive'):
        builder.pdf(SOURCE)


def test_slides_are_built_alone_and_anew(tmp_path):
    page = '# Page\n\n[**One idea.**] And more.\n\n' + CELL.format('print(5)')
    folder = project(tmp_path / 'small', page=page)
    for thought in 'idea', 'word':
        with open(os.path.join(folder, 'page.md'), 'w') as file:
            file.write(page.replace('idea', thought))
        path = builder.slides(folder, progress=lambda line: None)
        assert path.endswith('slides/mxnet')
        with open(os.path.join(path, 'page.html')) as file:
            text = file.read()
        assert f'One {thought}' in text and 'And more' not in text
        assert '<pre class="output"' in text
        for link in re.findall(r'(?:href|src)="([^"#]+)"', text):
            assert os.path.exists(os.path.join(path, link)), link


def test_not_a_project(tmp_path):
    with pytest.raises(builder.ChapterError, match='no d2lbook project'):
        builder.build(str(tmp_path))


# ------------------------------------------------------------- any chapter


ANY = """```{.python .input}
%load_ext d2lbook.tab
tab.interact_select('mxnet', 'pytorch')
```

# (**Another Chapter**)
:label:`sec_other`

As :numref:`sec_first` says, and :citet:`known`, see :numref:`fig_dot`,
:numref:`tab_one` and :eqref:`eq_one`.

$$x = 1.$$
:eqlabel:`eq_one`

![A dot.](../img/dot.svg)
:width:`40px`
:label:`fig_dot`

:A table

| a | b |
|:--|--:|
| 1 | 2 |
:label:`tab_one`

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
    builder.build(str(folder), progress=lambda line: None)
    notebook = read_notebook(folder, 'mxnet', 'part/other')
    text = '\n'.join(cell.source for cell in notebook.cells)
    assert 'As [First](first.ipynb) says, and Known (2000)' in text
    assert 'see Fig. 1,\nTable 1 and (1)' in text
    assert '*Table 1: A table*' in text
    assert r'$$x = 1.\tag{1}$$' in text
    assert 'Only here' not in text and "name = 'mxnet'" in text
    assert 'pytorch' not in text
    page = (folder / '_build' / 'html' / 'part' / 'other.html').read_text()
    assert "'mxnet'" in html.unescape(re.sub(r'<[^>]+>', '', page))


def test_two_builds_are_the_same(built, tmp_path):
    again = copy_of(SOURCE, tmp_path / 'chapter')
    builder.build(again, progress=lambda line: None)
    for part in 'html', 'notebooks':
        first = os.path.join(built[0], '_build', part)
        names = set()
        for where, _, files in os.walk(first):
            for file in files:
                path = os.path.relpath(os.path.join(where, file), first)
                names.add(path)
                one, two = (
                    pathlib.Path(f, '_build', part, path).read_bytes()
                    for f in (built[0], again)
                )
                assert one == two, path
        assert len(names) > 5


@pytest.mark.parametrize('ending', ['\n', '\r\n'])
def test_files_that_an_editor_on_windows_has_written(tmp_path, ending):
    """They begin with a byte-order mark; the pages are as without one."""
    folder = tmp_path / 'small'
    project(
        folder, **{'one': '# One\n:label:`sec_one`\n\nSee :cite:`known`.\n'}
    )
    with open(folder / 'index.md', 'a') as index:
        index.write('\n```eval_rst\n.. bibliography::\n```\n')
    for path in folder.iterdir():
        if path.is_file():
            text = path.read_text().replace('\n', ending)
            path.write_bytes(text.encode('utf-8-sig'))
    builder.build(str(folder), progress=lambda line: None)
    cells = read_notebook(folder, 'mxnet', 'one').cells
    assert cells[0].source.startswith('# One')
    assert '(Known, 2000)' in cells[0].source
    page = (folder / '_build' / 'html' / 'one.html').read_text()
    assert re.search(r'<h1>.*?One', page) and '\ufeff' not in page


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
    builder.build(folder, page=False, progress=lambda line: None)


HOLD = """
import sys
from d2l_vgg.chapter.project import open_project
with open_project(sys.argv[1]):
    print('held', flush=True)
    sys.stdin.read()
"""
