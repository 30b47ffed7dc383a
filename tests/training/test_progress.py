"""What is shown while a run trains."""

import os
import re
import sys
import textwrap
import time

import pexpect
import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from processes import run_python

from d2l_vgg.training import progress
from d2l_vgg.training.history import History


@pytest.fixture
def shown(tmp_path, monkeypatch):
    """What a notebook's cell is given to show, in order."""
    monkeypatch.setenv('IPYTHONDIR', str(tmp_path))
    shell = InteractiveShell.instance()
    shell.display_pub = CapturingDisplayPublisher()
    yield shell.display_pub.outputs
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()


def test_the_board_is_redrawn_in_its_place_at_every_point(shown):
    history = History(4, 1)
    board = progress.make('board')
    board.note = 'a note'
    board.open()
    board.start(total=50, done=0, max_epochs=10)
    for i in range(3):
        history.record('train_loss', i / 2, 2.0 - i, 1)
        board.point(history)
    pictures = [o for o in shown if 'image/svg+xml' in o['data']]
    first, *others = pictures
    assert [other['update'] for other in others] == [True, True]
    places = {str(output['transient']) for output in pictures}
    assert len(places) == 1 and 'display_id' in first['transient']
    pictures = [output['data']['image/svg+xml'] for output in pictures]
    assert len(set(pictures)) == 3
    for picture in pictures:
        # As far as the run will go, from the first point on
        assert '<!-- 10 -->' in picture
        assert '<!-- a note -->' in picture


def told(shown):
    """The texts that the line above the plot has had, in order."""
    (place,) = {str(output['transient']) for output in shown}
    return [output['data']['text/plain'] for output in shown]


@pytest.fixture
def lines(request, shown, monkeypatch, capsys):
    """What the line of a display has told since it was last asked."""
    monkeypatch.setenv('COLUMNS', '120')

    def lines():
        if request.node.callspec.params['name'] == 'board':
            found = told(shown)
            shown.clear()
            return found
        seen = capsys.readouterr().err.split('\r')[1:]
        assert all(len(line.rstrip('\n')) == 119 for line in seen)
        return [line.rstrip() for line in seen]

    return lines


@pytest.mark.parametrize('name', ['board', 'bar'])
def test_board_and_bar_tell_how_far_the_run_is_from_the_start(name, lines):
    board = progress.make(name)
    board.open()
    board.start(total=50, done=0, max_epochs=10, batch_size=128)
    begin = '░░░░░░░░░░░░░░░░░░░░ epoch 1/10, 0 of 50 minibatches'
    assert lines()[-1] == begin
    board.expect(7200)
    assert lines() == [f'{begin}, about 2.0 hours left']
    started = time.monotonic()
    for _ in range(12):
        time.sleep(0.1)
        board.step()
    seconds = time.monotonic() - started
    # Not at every minibatch, but more than once
    texts = lines()
    assert 1 <= len(texts) <= 3
    # The estimate gives way to what was measured
    seen = re.fullmatch(
        r'█+░+ epoch (\d)/10, (\d+) of 50 minibatches, (\d+) seconds? left, '
        r'(\d+) images/s',
        texts[-1],
    )
    epoch, done, left, speed = map(int, seen.groups())
    assert epoch == done // 5 + 1
    # What the clock of this test says, which sees a busy machine, too
    assert speed == pytest.approx(128 * 12 / seconds, rel=0.5)
    assert left == pytest.approx((50 - done) * seconds / 12, rel=0.5, abs=1)


@pytest.mark.parametrize('name', ['board', 'bar'])
def test_the_last_line_tells_the_end(name, lines):
    board = progress.make(name)
    board.open()
    board.start(total=4, done=2, max_epochs=2)
    board.step()
    board.close()
    bar = '█' * 15 + '░' * 5
    line = f'{bar} epoch 2/2, 3 of 4 minibatches, stopped'
    assert lines()[-1] == line
    board.open()
    board.start(total=4, done=3, max_epochs=2)
    board.expect(100)
    board.step()
    time.sleep(0.01)
    board.close()
    line = '█' * 20 + ' epoch 2/2, 4 of 4 minibatches'
    assert lines()[-1] == line


def test_a_terminal_that_is_gone_ends_no_run(monkeypatch):
    with open(os.devnull) as gone:  # It cannot be written
        monkeypatch.setattr(sys, 'stderr', gone)
        bar = progress.make('bar')
        bar.start(total=4, done=2, max_epochs=2)
        bar.close()
    monkeypatch.setattr(sys, 'stderr', None)  # As in a program of windows
    assert type(progress.make()) is progress.Lines


def test_a_name_that_a_reader_gives_does_not_change_the_terminal(capsys):
    history = History(4, 1)
    history.record('train_\x1b[2J', 1, 0.5)
    lines = progress.make('lines')
    lines.start(total=4, done=0, max_epochs=1)
    lines.end_epoch(1, history)
    told = capsys.readouterr().out
    assert told == 'epoch 1/1: train_\\x1b[2J 0.500\n'


SHELL = """
    {shell}
    from d2l_vgg.training import progress
    print('shows', type(progress.make()).__name__)
"""


# As Colab's, VS Code's and Spyder's shells are made
@pytest.mark.parametrize('base', ['Jupyter', 'Colab', 'SpyderShell'])
def test_every_notebook_has_the_board(base, tmp_path):
    pytest.importorskip('ipykernel')
    shell = f"""
    from ipykernel.zmqshell import ZMQInteractiveShell as Jupyter
    class Colab(Jupyter): pass
    class SpyderShell(Colab): pass
    {base}.instance()
    """
    code = SHELL.format(shell=shell)
    told = run_python(code, IPYTHONDIR=str(tmp_path))
    assert told.splitlines()[-1] == 'shows Board'


def test_a_terminal_has_the_bar_and_a_file_has_lines(tmp_path):
    # `ipykernel` may be there for the sake of something else
    shell = """
    from IPython.terminal.interactiveshell import TerminalInteractiveShell
    try:
        import ipykernel.zmqshell
    except ImportError:
        pass
    TerminalInteractiveShell.instance()
    """
    code = SHELL.format(shell=shell)
    env = {**os.environ, 'IPYTHONDIR': str(tmp_path), 'TERM': 'dumb'}
    assert run_python(code, IPYTHONDIR=str(tmp_path)) == 'shows Lines'
    script = tmp_path / 'script.py'
    script.write_text(textwrap.dedent(code))
    seen = pexpect.run(f'{sys.executable} {script}', env=env, timeout=120)
    assert b'shows Bar' in seen
