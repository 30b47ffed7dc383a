"""How runs end: by Ctrl-C at any moment, by a lost terminal, by an error."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time

import pytest
from command_line import TINY, assert_fails, run, start, wait_for

from d2l_vgg.cli import main
from d2l_vgg.datasets import fashion_mnist
from d2l_vgg.training.runs import Run

pytest.importorskip('mxnet')

NAMED = ['train', *TINY, '--name', 'a', '--checkpoint-seconds', '0']


def maps(process):
    """Return what a process has loaded."""
    try:
        with open(f'/proc/{process.pid}/maps') as file:
            return file.read()
    except OSError:
        return ''


@pytest.mark.parametrize('signum', [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize('library', ['_multiarray_umath', 'libmxnet'])
def test_ctrl_c_while_libraries_are_imported(library, signum, tmp_path):
    process = start(*NAMED, cwd=tmp_path)
    assert wait_for(lambda: library in maps(process), process)
    process.send_signal(signum)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, '', '')
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize('pause', [0.001, 0.02, 0.3])
def test_ctrl_c_again_and_again(pause, tmp_path):
    """Also while what was recorded is kept, and to the very end."""
    folder = tmp_path / 'runs' / 'a'
    process = start(*NAMED, cwd=tmp_path)
    assert wait_for((folder / 'checkpoint.npz').exists, process)
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        time.sleep(pause)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, '')
    assert 'd2l-vgg train --resume runs/a' in out
    info = Run.open(folder).info
    assert info['status'] == 'stopped' and 'reason' not in info
    assert run('train', '--resume', folder).returncode == 0


def in_terminal(words, cwd, *before):
    """Start the command in a terminal of its own; return it and its end."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [*before, sys.executable, '-m', 'd2l_vgg.cli', *words],
        cwd=cwd,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=take_terminal,
    )
    os.close(slave)
    return process, master


def take_terminal():
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def without_display(words):
    return [w for w in words if w not in ('--display', 'lines')]


def test_a_run_that_loses_its_terminal_is_kept(tmp_path):
    folder = tmp_path / 'runs' / 'a'
    words = [*without_display(NAMED), '--max-epochs', '1000']
    process, master = in_terminal(words, tmp_path)
    assert wait_for((folder / 'checkpoint.npz').exists, process)
    os.close(master)  # The window is closed
    assert process.wait(timeout=60) == 130
    stopped = Run.open(folder)
    assert stopped.info['status'] == 'stopped'
    assert 'reason' not in stopped.info
    assert stopped.history().num_train_batches == 20


def test_a_run_under_nohup_outlives_its_terminal(tmp_path):
    folder = tmp_path / 'runs' / 'a'
    words = [*without_display(NAMED), '--display', 'bar']
    process, master = in_terminal(words, tmp_path, 'nohup')
    assert wait_for((folder / 'checkpoint.npz').exists, process)
    os.close(master)
    process.wait(timeout=120)
    assert Run.open(folder).info['status'] == 'finished'


def test_a_run_that_fails_says_why(tmp_path, monkeypatch, capsys):
    """And can be gone on with, when the cause is gone."""

    def broken(self, *args):
        raise KeyError('the\nmemory of step 7')

    options = [*NAMED, '--runs', str(tmp_path)]
    with monkeypatch.context() as patched:
        patched.setattr('d2l_vgg.mxnet.Trainer.validation_step', broken)
        assert main(options) == 1
    folder = str(tmp_path / 'a')
    failed = Run.open(folder).info
    assert failed['status'] == 'failed'
    assert 'memory of step 7' in failed['reason']
    assert capsys.readouterr().err.count('\n') == 1
    assert main(['predict', folder]) == 1
    assert 'because it is failed' in capsys.readouterr().err
    assert main(['train', '--resume', folder]) == 0
    finished = Run.open(folder).info
    assert finished['status'] == 'finished' and 'reason' not in finished


def test_parameters_that_cannot_be_kept_stop_a_run(
    tmp_path, monkeypatch, capsys
):
    """The last of its files; the run was `running` for ever."""

    def full(self, path):
        raise OSError(28, 'No space left on device', path)

    options = [*NAMED, '--runs', str(tmp_path)]
    with monkeypatch.context() as patched:
        patched.setattr('d2l_vgg.mxnet.VGG.save', full)
        assert main(options) == 1
    assert 'parameters.npz' in capsys.readouterr().err
    stopped = Run.open(tmp_path / 'a').info
    assert stopped['status'] == 'stopped'
    assert 'make room' in stopped['reason']
    assert main(['train', '--resume', str(tmp_path / 'a')]) == 0


def test_a_name_that_the_terminal_cannot_print(tmp_path):
    words = [*TINY, '--name', 'Größe', '--max-epochs', '1']
    ascii_only = {'PYTHONIOENCODING': 'ascii', 'PYTHONUTF8': '1'}
    result = run('train', *words, cwd=tmp_path, env=ascii_only)
    assert result.returncode == 0, result.stderr
    assert r'runs/Gr\xf6\xdfe' in result.stdout
    folder = tmp_path / 'runs' / 'Größe'
    assert Run.open(folder).info['status'] == 'finished'


@pytest.mark.parametrize(
    'name', ['', '.', '..', '../b', 'a/b', '/b', 'a\nb', 'a\x1b[2Jb']
)
def test_a_name_that_is_none(name, tmp_path, capsys):
    where = ['--runs', str(tmp_path / 'runs'), f'--name={name}']
    try:
        status = main(['train', *TINY, *where])
    except SystemExit as stop:
        status = stop.code
    assert status in (1, 2)
    error = capsys.readouterr().err
    assert error.count('\n') == 1 and '\x1b' not in error
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    'options', [['--lr', 'inf'], ['--seed', '4294967296'], ['--lr', 'nan']]
)
def test_nothing_is_made_before_all_is_checked(options, tmp_path, capsys):
    where = ['--runs', str(tmp_path / 'runs')]
    try:
        assert main(['train', *TINY, *where, *options]) == 1
    except SystemExit as stop:
        assert stop.code == 2
    assert capsys.readouterr().err.count('\n') == 1
    assert os.listdir(tmp_path) == []


def test_a_run_is_resumed_from_another_folder(tmp_path):
    """Its data were named by where it began."""
    home, other = tmp_path / 'home', tmp_path / 'other'
    home.mkdir()
    other.mkdir()
    (home / 'images').symlink_to(fashion_mnist.FOLDER)
    words = [*NAMED, '--data', 'images', '--max-epochs', '1000']
    process = start(*words, cwd=home)
    folder = home / 'runs' / 'a'
    assert wait_for((folder / 'checkpoint.npz').exists, process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    info = json.loads((folder / 'run.json').read_text())
    assert info['data']['root'] == str(home / 'images')
    process = start(
        *('train', '--resume', '../home/runs/a'),
        cwd=other,
    )
    assert process.stdout.readline().startswith('Resuming')
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130


def test_home_in_any_path(tmp_path):
    home = {'HOME': str(tmp_path)}
    work = tmp_path / 'work'
    work.mkdir()
    words = [*TINY, '--name', 'a', '--runs', '~/all', '--max-epochs', '1']
    done = run('train', *words[:-2], '--max-epochs=1', cwd=work, env=home)
    assert done.returncode == 0, done.stderr
    pictures = ['--output', '~/picture']
    assert run('curves', '~/all/a', *pictures, cwd=work, env=home)
    assert (tmp_path / 'picture.svg').exists()
    result = run('train', '--resume', '~/all/a', cwd=work, env=home)
    assert_fails(result, f'{tmp_path}/all/a is finished')
    unknown = run('curves', '~nobody-of-that-name/a', cwd=work)
    assert unknown.returncode == 2 and 'not known' in unknown.stderr
    assert os.listdir(work) == []


# ------------------------------------------------------------------- trials


def trial(size, *words, cwd):
    return run(*words, cwd=cwd, env={'D2L_VGG_TRIAL': size})


def test_a_trial_is_never_taken_for_a_run(tmp_path):
    said = 'TRIAL: cut short to 3 minibatches'
    done = trial('3', 'train', *TINY, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert 'as a trial in runs/quick-trial' in done.stdout
    assert said in done.stdout.strip().splitlines()[-2]
    folder = tmp_path / 'runs' / 'quick-trial'
    assert Run.open(folder).trial == 3
    for words in ('curves', folder), ('predict', folder):
        shown = run(*words, cwd=tmp_path)
        assert shown.returncode == 0, shown.stderr
        assert said in shown.stdout
    pictures = [folder / f'{n}.svg' for n in ('curves', 'confusion')]
    for picture in [*pictures, tmp_path / 'curves.svg']:
        assert said in picture.read_text(encoding='utf-8')
    # The same seed, the same trial
    trial('3', 'train', *TINY, cwd=tmp_path)
    again = tmp_path / 'runs' / 'quick-trial-2'
    assert (again / 'history.csv').read_bytes() == (
        folder / 'history.csv'
    ).read_bytes()


def test_a_trial_is_not_resumed_as_a_run_nor_a_run_as_a_trial(tmp_path):
    (tmp_path / 'a').mkdir()
    book = os.path.join(
        os.path.dirname(__file__), '../../chapter/results/quick/run.json'
    )
    with open(book) as file:
        info = {**json.load(file), 'status': 'stopped'}
    path = tmp_path / 'a' / 'run.json'
    for size, asked, word in [
        (0, '2', 'is no trial'),
        (2, '', 'is a trial: resume it with D2L_VGG_TRIAL=2'),
        (2, '3', 'is a trial: resume it with D2L_VGG_TRIAL=2'),
    ]:
        path.write_text(json.dumps({**info, 'trial': size}))
        result = trial(asked, 'train', '--resume', 'a', cwd=tmp_path)
        assert_fails(result, word)
        assert os.listdir(tmp_path / 'a') == ['run.json']


@pytest.mark.parametrize('size', ['0', ''])
def test_no_trial(size, tmp_path):
    words = [*TINY, '--max-epochs', '1', '--num-train', '64']
    done = trial(size, 'train', *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert 'TRIAL' not in done.stdout
    assert Run.open(tmp_path / 'runs' / 'quick').trial == 0


@pytest.mark.parametrize('size', ['-1', 'x', '1.5', ' ', '1e3', '0x1', '²'])
def test_a_trial_of_no_size(size, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv('D2L_VGG_TRIAL', size)
    assert main(['train', *TINY, '--runs', str(tmp_path / 'runs')]) == 1
    error = capsys.readouterr().err
    assert re.search(r'D2L_VGG_TRIAL is .*: it must be a whole', error)
    assert os.listdir(tmp_path) == []
