"""How runs end: by Ctrl-C at any moment, by a lost terminal, by an error."""

import fcntl
import gc
import os
import pty
import signal
import subprocess
import sys
import termios
import time

import pytest
from command_line import (
    TINY,
    assert_fails,
    assert_same_run,
    call,
    done,
    run_on_a_full_disk,
    start,
    wait_for,
)

from d2l_vgg.training import interrupts
from d2l_vgg.training.runs import Run

pytest.importorskip('mxnet')

NAMED = ['train', *TINY, '--name', 'a', '--checkpoint-seconds', '0']


def status(folder):
    return Run.open(folder).info['status']


def maps(process):
    """Return what a process has loaded."""
    try:
        with open(f'/proc/{process.pid}/maps') as file:
            return file.read()
    except OSError:
        return ''


@pytest.mark.parametrize(
    'library, signum',
    [('_multiarray_umath', signal.SIGINT), ('libmxnet', signal.SIGTERM)],
)
def test_ctrl_c_while_libraries_are_imported_is_silent(
    library, signum, tmp_path
):
    process = start(*NAMED, cwd=tmp_path)
    assert wait_for(lambda: library in maps(process), process)
    process.send_signal(signum)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, '', '')
    assert os.listdir(tmp_path) == []


def test_ctrl_c_before_anything_was_recorded_keeps_the_run(tmp_path):
    process = start(
        *('train', '--num-train', '256', '--name', 'a'),
        *('--arch', 'vgg_small', '--resize', '224'),  # Takes time to draw
        cwd=tmp_path,
    )
    for line in process.stdout:
        if line.startswith('Training'):
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert err == '' and 'continue with' in out
    assert status(tmp_path / 'runs' / 'a') == 'stopped'


@pytest.mark.filterwarnings('ignore:Exception ignored in')
@pytest.mark.parametrize('framework', ['jax', 'torch'])
@pytest.mark.parametrize(
    'step, told, ended',
    [
        ('initialize', 'continue with: ', 'stopped'),
        ('keep_results', 'Validation accuracy ', 'finished'),
    ],
)
def test_ctrl_c_where_exceptions_are_lost_ends_the_run(
    framework, step, told, ended, tmp_path, monkeypatch
):
    """In a callback of Python's garbage collection, they are printed only."""
    pytest.importorskip(framework)

    def press(phase, info):
        gc.callbacks.remove(press)
        signal.raise_signal(signal.SIGINT)

    def collect(*args):
        gc.callbacks.append(press)
        gc.collect()

    monkeypatch.setattr(f'd2l_vgg.commands.train.{step}', collect)
    # It is not so slow as to be ended from outside
    monkeypatch.setattr(interrupts, 'SECONDS_TO_END', 300)
    words = [*TINY, '--framework', framework, '--name', 'a']
    result = call('train', *words, '--runs', tmp_path)
    assert result.returncode == 130
    assert told in result.stdout.splitlines()[-1]
    assert status(tmp_path / 'a') == ended


@pytest.mark.parametrize(
    'pause',
    [
        pytest.param(0.001, marks=pytest.mark.slow),
        0.02,
        pytest.param(0.3, marks=pytest.mark.slow),
    ],
)
def test_run_that_gets_ctrl_c_again_and_again_goes_on(
    finished, pause, tmp_path
):
    """Also while what was recorded is kept, and to the very end."""
    folder = tmp_path / 'runs' / 'a'
    process = start(*NAMED, cwd=tmp_path)
    assert wait_for((folder / 'checkpoint.safetensors').exists, process)
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        time.sleep(pause)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, '')
    assert 'd2l-vgg train --resume runs/a' in out
    info = Run.open(folder).info
    assert info['status'] == 'stopped' and 'reason' not in info
    done('train', '--resume', folder)
    assert_same_run(folder, finished.folder)


def test_run_that_loses_its_terminal_is_kept(tmp_path):
    folder = tmp_path / 'runs' / 'a'
    words = [w for w in NAMED if w not in ('--display', 'lines')]
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, '-m', 'd2l_vgg.cli', *words, '--max-epochs', '1000'],
        cwd=tmp_path,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(slave)
    assert wait_for((folder / 'checkpoint.safetensors').exists, process)
    os.close(master)  # The window is closed
    assert process.wait(timeout=60) == 130
    stopped = Run.open(folder)
    assert stopped.info['status'] == 'stopped'
    assert 'reason' not in stopped.info
    assert stopped.history().num_train_batches == 20


def test_no_two_processes_train_one_run(finished, tmp_path):
    """The second is refused and disturbs nothing; the first goes on."""
    folder = tmp_path / 'runs' / 'a'
    first = start(*NAMED, cwd=tmp_path)
    try:
        assert wait_for((folder / 'checkpoint.safetensors').exists, first)
        # It holds its run while it is halted, however long the second takes
        first.send_signal(signal.SIGSTOP)
        assert status(folder) == 'running'
        before = contents(folder)
        second = call('train', '--resume', folder)
        assert_fails(
            second,
            f'Another process trains the run in {folder}',
            'wait for its end, or stop it',
        )
        assert 'Resuming' not in second.stdout
        assert contents(folder) == before
        first.send_signal(signal.SIGCONT)
        assert wait_for(lambda: status(folder) == 'finished', first)
        assert_same_run(folder, finished.folder)
        # Nor is its end overlooked
        assert_fails(
            call('train', '--resume', folder), f'{folder} is finished'
        )
    finally:
        first.kill()
        _, err = first.communicate()
    assert err == ''


def contents(folder):
    """Return the bytes of each file."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_full_disk_is_told_and_stops_the_run(tmp_path):
    words = ['--hidden', '256', '--checkpoint-seconds', '0']
    result = run_on_a_full_disk('train', *TINY, *words, cwd=tmp_path)
    assert result.returncode == 1
    assert 'Traceback' not in result.stderr
    assert 'checkpoint.safetensors' in result.stderr
    assert not list(tmp_path.glob('**/*.tmp'))


@pytest.mark.parametrize(
    'method, error, status, reason',
    [
        (
            'Trainer.validation_step',
            KeyError('the\nmemory of step 7'),
            'failed',
            'memory of step 7',
        ),
        (
            'VGG.save',  # The last of its files
            OSError(28, 'No space left on device', 'parameters'),
            'stopped',
            'parameters cannot be used: No space left on device; make room',
        ),
    ],
)
def test_run_that_an_error_ends_says_why_and_can_be_resumed(
    method, error, status, reason, tmp_path, monkeypatch
):
    def broken(*args):
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(f'd2l_vgg.mxnet.{method}', broken)
        result = call(*NAMED, '--runs', tmp_path)
    # What others raise need not be a sentence
    assert_fails(result, reason, end='')
    assert result.stderr.count('\n') == 1
    folder = tmp_path / 'a'
    ended = Run.open(folder).info
    assert ended['status'] == status and reason in ended['reason']
    assert_fails(call('predict', folder), f'is {status}, so it has no')
    done('train', '--resume', folder)
    finished = Run.open(folder).info
    assert finished['status'] == 'finished' and 'reason' not in finished
