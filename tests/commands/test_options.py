"""What is wrong on the command line: one line, at once, and nothing made.

The options are those of the commands themselves, so a new one is tested, too.
"""

import os
import re

import click
import pytest
from command_line import call
from hypothesis import given, settings
from hypothesis import strategies as st

from d2l_vgg import cli
from d2l_vgg.commands import options

# The command line, its exit status, and what is told: on stdout after 0
LINES = [
    ([], 0, 'Commands:'),
    (['--version'], 0, '0.1.0'),
    *([[name, '-h'], 0, f'Usage: d2l-vgg {name}'] for name in cli.COMMANDS),
    (['summary', 'vgg11', '--resize', '64'], 0, '64 x 64 x 64'),
    (['summary', '((1,16),(1,32))'], 0, '16 x 224 x 224'),
    (['compare', 'lenet', '[(1,4)]', '--markdown'], 0, '| lenet '),
    (['compare', 'lenet', '--channels', '3', 'vgg11'], 0, 'vgg11 '),
    (['nonsense'], 2, "No such command 'nonsense'"),
    (['trian'], 2, 'the nearest is train'),
    (['summary'], 2, "Missing argument 'ARCH'"),
    (['summary', 'vgg11', 'vgg13'], 2, 'unexpected extra argument'),
    (['summary', 'vgg11', '--reszie', '64'], 2, 'the nearest is --resize'),
    (['summary', 'vgg11', '--resize'], 2, "'--resize' requires an argument"),
    (['summary', '--', 'vgg17'], 1, 'the nearest is vgg11'),
    (['summary', os.fsdecode(b'a\xff')], 1, r"no architecture 'a\udcff'"),
    (['compare', '--batch-size', '-1'], 2, 'batch_size is -1: it must be'),
    (['chapter', '--no-run', '--keep-output'], 1, 'leave out --no-run'),
    (['chapter', '--only', 'pdf', '--copy-to', 'x'], 1, 'leave them out'),
    (['predict', 'quick', 'x', '--data', 'x'], 1, 'no use beside pictures'),
    (['predict', '~nobody-of-that-name/x'], 2, 'is not known: write the'),
    (
        ['train', '--lr', '1', '--lr', 'x'],
        2,
        "lr is 'x': it must be a number",
    ),
    (['train', '--lr=x\n\x1b[2J', '--seed=y'], 2, r"lr is 'x\n\x1b[2J'"),
    (['train', '--resize', '2049'], 2, 'it must be 2048 or less'),
    (['train', '--lr-schedule', 'linear'], 2, 'one of constant, cosine'),
    (['train', '--framework', 'caffe'], 2, "one of 'mxnet', 'torch'"),
    (['train', '--name', '--flip'], 2, "'--flip' is empty or an option"),
    (['train', '--flip=yes'], 2, "'--flip' does not take a value"),
    (['train', '--hidden', '8', 'x'], 2, "'8 x'"),
    (['train', '--hidden', '8', '0'], 1, '0'),
    (['train', '--hidden', '8', '--hidden', '4', 'x'], 2, "'4 x'"),
    (['train', '--nonsense\n\x1b[2J'], 2, r"'--nonsense\n\x1b[2J'"),
    (['train', '--resume', 'quick', '--no-flip'], 1, 'No run in quick'),
]


def check(words, status, told, folder):
    """The command ends so; what is wrong is one line, and nothing made."""
    result = call(*words)
    assert result.returncode == status, result
    assert told in (result.stderr if status else result.stdout)
    if status:
        assert result.stdout == ''
        # Whatever the value holds, a terminal can only print the line
        assert re.fullmatch(r'd2l-vgg: [^\n]+\.\n', result.stderr)
        assert result.stderr[:-1].isprintable()
    assert os.listdir(folder) == []


@pytest.mark.parametrize('words, status, told', LINES)
def test_command_line_ends_as_told(
    words, status, told, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    check(words, status, told, tmp_path)


COMMANDS = options.Commands(cli.COMMANDS)
TAKING = [
    (name, param)
    for name in cli.COMMANDS
    for param in COMMANDS.get_command(None, name).params
    if not getattr(param, 'is_flag', False)
    and param.name not in ('arch', 'dropout', 'hidden')
]


@pytest.mark.parametrize(
    'command, param', TAKING, ids=[f'{c} {p.name}' for c, p in TAKING]
)
def test_bad_value_is_refused(command, param, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    values = ['']  # A text or a path may be anything else
    if isinstance(param.type, (options.Checked, click.Choice)):
        values = ['', 'x', '-1', 'nan', '1e999', '\n\x1b[2J\0', 'ö\u202e']
    needed = {'curves': ['x'], 'predict': ['x'], 'summary': ['vgg11']}
    for value in values:
        words = [*needed.get(command, []), f'{param.opts[0]}={value}']
        if isinstance(param, click.Argument):
            words = [value, 'x']
        check([command, *words], 2, '', tmp_path)


@pytest.mark.parametrize(
    'word',
    [
        *('(', '()', '((1,16', '(1is 2)', '((1,16),(1e3,2))', '(((1,),),)'),
        *('((0,16),)', '((1,-1),)', "(('a','b'),)", '(None,)', '(' * 9999),
        '(\n\x1b[2J\0',
    ],
)
def test_architecture_that_is_none_is_refused(word, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for words in ['train', f'--arch={word}'], ['summary', word]:
        check(words, 1, '', tmp_path)


WORDS = [
    param.opts[0]
    for param in COMMANDS.get_command(None, 'train').params
    # Those ask for more than a line
    if param.name not in ('help', 'debug')
]
VALUES = st.text(max_size=9) | st.integers().map(str) | st.floats().map(str)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(WORDS) | VALUES, max_size=8))
def test_any_words_are_refused_in_a_line_where_no_run_is(words):
    """Whatever else is asked, there is nothing to be continued here."""
    result = call('train', *words, '--continue-from=/nowhere')
    assert result.returncode in (1, 2) and result.stdout == ''
    assert re.fullmatch(r'd2l-vgg: [^\n]+\.\n', result.stderr), result
    assert result.stderr[:-1].isprintable()
