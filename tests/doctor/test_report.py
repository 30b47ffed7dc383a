"""The page, which is read in a terminal, and the report, which is sent."""

import json
import os
import subprocess

import pytest

from d2l_vgg.doctor import examination, report
from d2l_vgg.doctor.checks import Check
from d2l_vgg.doctor.examination import Findings

LONG = 'pip install ' + ' '.join(f'nvidia-package-{i}-cu11' for i in range(9))
FINDINGS = Findings(
    {'mxnet': ['CPU'], 'torch': ['CPU', 'GPU'], 'jax': ['CPU']},
    [
        Check('Python', '3.11.7, Linux on x86_64'),
        Check('data', 'not here ' * 20, 'Fetch it:', ('d2l-vgg data',)),
        Check('CUDA', 'missing', 'Install it:', (LONG,)),
        Check('MXNet', 'evil \x1b[2J name\nof a file'),
    ],
)


def test_what_works_comes_first_then_what_to_do():
    lines = report.page(FINDINGS).splitlines()
    assert lines[0] == (
        'You can train here, on the CPU in MXNet and JAX, on the CPU and GPU '
        'in PyTorch.'
    )
    assert lines[1] == '' and lines[2].startswith('ok  Python')
    assert lines.index('What to do:') > max(
        i for i, line in enumerate(lines) if line.startswith('ok ')
    )
    assert '        d2l-vgg data' in lines
    ok = [line.split()[1] for line in lines if line.startswith('ok ')]
    assert ok == ['Python', 'MXNet']


def test_the_page_fits_a_terminal_of_80_columns():
    page = report.page(FINDINGS)
    assert max(map(len, page.splitlines())) <= 79
    assert '\x1b' not in page and r'\x1b[2J name\nof a file' in page


@pytest.mark.skipif(os.name != 'posix', reason='needs a POSIX shell')
def test_a_long_command_is_one_for_the_shell():
    page = report.page(FINDINGS)
    block = page[page.index('pip install') :]
    done = subprocess.run(
        ['sh', '-c', 'pip() { echo pip "$@"; }\n' + block],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert '\\\n' in block and done.stdout == LONG + '\n'


def test_nothing_that_trains_is_the_first_line():
    page = report.page(Findings({}, []))
    assert page.splitlines()[0].startswith('You cannot train here')


def test_the_report_names_no_user_and_no_home(monkeypatch):
    monkeypatch.setenv('HOME', '/srv/people/ann.lee')
    monkeypatch.setenv('USER', 'annlee')
    found = FINDINGS._replace(
        checks=[
            Check(
                'data',
                'in /srv/people/ann.lee/data and /scratch/annlee/data',
                'No module "x" in /home/bob/lib:',
                ('/srv/people/ann.lee/.venv/bin/python -m pip',),
                {'rows': [['x', '/mnt/annlee_2/x', None], 3]},
            ),
            Check('disk', 'The Users/Maria of /Users/Maria/x annlee'),
        ]
    )
    text = report.as_json(found)
    for word in 'ann.lee', 'bob', '/srv/people', '/home', '/Users/':
        assert word not in text
    told = json.loads(text)
    data, disk = told['checks']
    assert data['text'] == 'in ~/data and /scratch/USER/data'
    assert data['commands'] == ['~/.venv/bin/python -m pip']
    assert data['facts']['rows'] == [['x', '/mnt/USER_2/x', None], 3]
    assert told['can_train'] is True and not data['ok'] and disk['ok']


def test_a_name_that_is_a_word_stays_one(monkeypatch):
    monkeypatch.setenv('USER', 'data')
    assert report.without_names('data is in /data/x', {'data'}) == (
        'data is in /USER/x'
    )


def test_without_a_home(monkeypatch):
    monkeypatch.delenv('HOME', raising=False)
    for variable in 'USER', 'LOGNAME', 'SUDO_USER', 'USERNAME':
        monkeypatch.delenv(variable, raising=False)
    import pwd

    def nobody(uid):
        raise KeyError(uid)

    monkeypatch.setattr(pwd, 'getpwuid', nobody)
    assert report.user_names() == set()
    for home in None, '', '/':
        if home is not None:
            monkeypatch.setenv('HOME', home)
        assert report.without_names('/a/b', set()) == '/a/b'


def test_a_look_that_fails_is_a_line():
    def look():
        raise RecursionError('too deep')

    (check,) = examination.guarded('disk', look)
    assert check.subject == 'disk' and 'too deep' in check.text and check.do
