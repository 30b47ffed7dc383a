"""What is wrong on the command line: one line, at once, and nothing made.

The options are those of the parser itself, so a new one is tested, too.
"""

import argparse
import contextlib
import importlib
import io
import math
import os
import re

import pytest

from d2l_vgg import cli
from d2l_vgg.commands import options

pytest.importorskip('hypothesis')

from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

SUBPARSERS = next(
    action.choices
    for action in options.make_parser(
        {
            name: importlib.import_module(f'd2l_vgg.commands.{name}')
            for name in cli.COMMANDS
        }
    )._actions
    if isinstance(action, argparse._SubParsersAction)
)
# What each command needs besides, and would make something of
NEEDED = {'curves': ['nothing-here'], 'predict': ['nothing-here']}

TAKING = [
    (command, action)
    for command, parser in SUBPARSERS.items()
    for action in parser._actions
    if action.nargs != 0 and action.dest != 'help'
]


def is_number(text, kind):
    try:
        return math.isfinite(kind(text))
    except (ValueError, OverflowError):
        return False


# A terminal's own escapes, NUL, letters of any script; no lone surrogates,
# which the system hands over for bytes that are no UTF-8, but see below
texts = st.text(st.characters(exclude_categories=['Cs']), max_size=20)


def bad_values(action):
    """Return the values that this option must refuse, whatever they are."""
    if action.choices:
        return texts.filter(lambda text: text not in action.choices)
    if action.type in (options.whole_number, options.positive):
        return st.one_of(
            texts.filter(lambda text: not is_number(text, int)),
            st.integers(max_value=-1).map(str),
        )
    if action.type in (options.not_negative, options.seed):
        return st.one_of(
            texts.filter(lambda text: not is_number(text, int)),
            st.integers(max_value=-1).map(str),
        )
    if action.type in (options.number, options.seconds):
        return st.one_of(
            texts.filter(lambda text: not is_number(text, float)),
            st.floats(max_value=-1e-300, allow_nan=False).map(str),
            st.sampled_from(['nan', 'inf', '-inf', '1e999']),
        )
    # A text or a path may be anything but this
    return st.just('')


def call(words):
    """Run the command line; return its status, stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = cli.main(words)
        except SystemExit as stop:
            status = stop.code
    return status, out.getvalue(), err.getvalue()


def assert_refused(words, folder):
    status, out, err = call(words)
    assert status in (1, 2), (words, out)
    assert out == ''
    # Whatever the value holds, a terminal can only print the line
    assert re.fullmatch(r'd2l-vgg: [^\n]+\n', err), err
    assert err[:-1].isprintable()
    assert os.listdir(folder) == []


@pytest.mark.parametrize(
    'command, action',
    TAKING,
    ids=[f'{command} {action.dest}' for command, action in TAKING],
)
@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_bad_value_is_refused(command, action, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    value = data.draw(bad_values(action))
    words = NEEDED.get(command, [])
    if action.option_strings:
        words = [*words, f'{action.option_strings[-1]}={value}']
    elif value.startswith('-'):
        return  # An option, not a value
    else:
        words = [value]
    if command == 'summary' and action.option_strings:
        words = ['vgg11', *words]
    assert_refused([command, *words], tmp_path)


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.one_of(
        texts.map(lambda text: '(' + text),
        st.recursive(
            st.one_of(st.integers(max_value=0), st.text('ab'), st.none()),
            lambda inner: st.lists(inner, max_size=3).map(tuple),
        ).map(lambda value: repr((value,))),
        st.sampled_from(['(' * 9999, '(1is 2)', '((1,16),(1e3,2))']),
    )
)
def test_an_architecture_that_is_none(tmp_path, monkeypatch, word):
    monkeypatch.chdir(tmp_path)
    for command in 'train', 'summary', 'compare':
        option = '--arch=' if command == 'train' else ''
        assert_refused([command, option + word], tmp_path)


def test_bytes_that_are_no_text_are_refused_in_a_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    word = os.fsdecode(b'a\xff')
    for words in (
        ['train', '--name', word],
        ['summary', word],
        ['curves', word],
        ['train', '--lr', word],
    ):
        assert_refused(words, tmp_path)


def test_several_at_once_are_refused_by_the_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert_refused(['train', '--lr=x\n\x1b[2J', '--seed=y'], tmp_path)
    assert_refused(['train', '--nonsense\n\x1b[2J'], tmp_path)
    assert_refused(['nonsense\n\x1b[2J'], tmp_path)
    assert_refused([], tmp_path)
