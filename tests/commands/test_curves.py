"""`d2l-vgg curves`, of runs that others made, to where the user wants it."""

import html
import json
import os
import re
import shutil
from pathlib import Path

import matplotlib.image
import pytest

from d2l_vgg import cli

QUICK = Path(__file__).parents[2] / 'chapter' / 'results' / 'quick'


def foreign_run(folder, **info):
    """Copy a record to `folder`, with other things in its `run.json`."""
    os.makedirs(folder)
    shutil.copy(QUICK / 'history.csv', folder)
    record = json.loads((QUICK / 'run.json').read_text())
    # As JSON writes it, with its own escapes
    (folder / 'run.json').write_text(json.dumps({**record, **info}))
    return str(folder)


@pytest.mark.parametrize(
    'name', ['\x1b[2Jred', 'a\nPicture: none', '\u202eback', '\ud800', '']
)
def test_a_name_that_steers_the_terminal_is_refused(name, tmp_path, capsys):
    folder = foreign_run(tmp_path / 'run', name=name)
    output = str(tmp_path / 'plot')
    assert cli.main(['curves', folder, '--output', output]) == 1
    told = capsys.readouterr()
    assert told.out == '' and os.listdir(tmp_path) == ['run']
    assert told.err.count('\n') == 1 and told.err[:-1].isprintable()
    assert ascii(name)[1:-1] in told.err


@pytest.mark.parametrize('name', ['_$x^2$', '<b> & co', 'x' * 300])
def test_any_other_name_is_told_and_drawn(name, tmp_path, capsys):
    # The second one of that name goes by its folder, whatever that is
    folders = [
        foreign_run(tmp_path / folder, name=name)
        for folder in ('first', 'a\x1b[31m\nfolder')
    ]
    output = str(tmp_path / 'plot')
    assert cli.main(['curves', *folders, '--output', output]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f'{name}:\n')
    assert f'{tmp_path}/a\\x1b[31m\\nfolder:' in text.splitlines()
    assert text.replace('\n', '').isprintable()
    svg = (tmp_path / 'plot.svg').read_text(encoding='utf-8')
    seen = re.findall('<!-- (.*) -->', svg)
    assert len([t for t in seen if t.endswith('\\x1b[31m\\nfolder')]) == 1
    if len(name) < 100:
        assert name in map(html.unescape, seen)


def test_what_an_error_quotes_cannot_steer_the_terminal(tmp_path, capsys):
    folder = foreign_run(tmp_path / 'run', status='\x1b]0;title\x07')
    assert cli.main(['predict', folder]) == 1
    error = capsys.readouterr().err
    assert r'\x1b]0;title\x07' in error
    assert error.count('\n') == 1 and error[:-1].isprintable()


@pytest.mark.parametrize(
    'name, written',
    [
        ('plot.png', ['plot.png']),
        ('plot.svg', ['plot.svg']),
        ('plot', ['plot.png', 'plot.svg']),
    ],
)
def test_output(name, written, tmp_path, capsys):
    output = str(tmp_path / name)
    assert cli.main(['curves', str(QUICK), '--output', output]) == 0
    assert sorted(os.listdir(tmp_path)) == written
    told = capsys.readouterr().out.splitlines()[-1]
    paths = told.replace('Picture: ', '').split(', ')
    assert sorted(paths) == [str(tmp_path / name) for name in written]
    if 'plot.png' in written:
        assert matplotlib.image.imread(tmp_path / 'plot.png').shape[1] == 1600


def test_output_in_the_users_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv('HOME', str(tmp_path))
    assert cli.main(['curves', str(QUICK), '--output', '~/plot.svg']) == 0
    assert os.listdir(tmp_path) == ['plot.svg']


@pytest.mark.parametrize(
    'output, word', [('plot.gif', '.gif'), ('here', 'folder')]
)
def test_output_that_cannot_be(output, word, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    os.mkdir('here')
    assert cli.main(['curves', str(QUICK), '--output', output]) == 1
    told = capsys.readouterr()
    # Before anything is told or made
    assert told.out == '' and os.listdir() == ['here']
    assert told.err.count('\n') == 1 and word in told.err
    assert told.err.endswith('.\n')
