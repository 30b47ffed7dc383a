"""A run that is killed at any moment ends as one that never was."""

import contextlib
import os
import random
import signal
import time

import pytest
from command_line import TINY, assert_same_run, done, start, wait_for

from d2l_vgg.training.runs import Run

pytest.importorskip('mxnet')


def test_run_killed_in_an_epoch_ends_as_one_that_never_was(
    finished, tmp_path
):
    """`kill -9` twice between checkpoints, then to the end."""
    folder = tmp_path / 'runs' / 'killed'
    checkpoint = folder / 'checkpoint.safetensors'
    args = ['train', *TINY, '--name', 'killed']
    kills = 0
    for options in (args, ['train', '--resume', folder]):
        process = start(
            *options, '--checkpoint-seconds', '0.05', cwd=tmp_path
        )
        before = checkpoint.stat().st_mtime if checkpoint.exists() else 0
        if wait_for(
            lambda before=before: (
                checkpoint.exists() and checkpoint.stat().st_mtime > before
            ),
            process,
        ):
            kills += 1
        process.kill()
        process.communicate()
    assert kills >= 1
    killed = Run.open(folder)
    assert killed.info['status'] == 'running'
    assert not (folder / 'history.csv').exists()
    assert killed.history().num_train_batches == 20
    done('train', '--resume', folder)
    assert_same_run(folder, finished.folder)


@pytest.mark.slow
def test_run_killed_while_writing_a_checkpoint_ends_as_one_that_never_was(
    tmp_path,
):
    """A half-written checkpoint must not replace the one before."""
    wide = [*TINY, '--hidden', '2048', '1024', '--num-train', '320']
    whole, folder = tmp_path / 'runs' / 'whole', tmp_path / 'runs' / 'killed'
    done('train', *wide, '--runs', tmp_path / 'runs', '--name', 'whole')
    process = start(
        *('train', *wide, '--name', 'killed', '--checkpoint-seconds', '0'),
        cwd=tmp_path,
    )

    def is_writing():
        if not (folder / 'checkpoint.safetensors').exists():
            return False
        with contextlib.suppress(FileNotFoundError):  # It is whole now
            return any(f.stat().st_size > 2**20 for f in folder.glob('*.tmp'))

    def is_halted_while_writing():
        if not folder.exists() or not is_writing():
            return False
        # Halted first: by the time of a kill the file may be complete
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.1)
        if is_writing():
            return True
        process.send_signal(signal.SIGCONT)
        return False

    assert wait_for(is_halted_while_writing, process)
    process.kill()
    process.communicate()
    assert is_writing()
    done('train', '--resume', folder)
    assert_same_run(folder, whole)
    assert not [n for n in os.listdir(folder) if n.endswith('.tmp')]


@pytest.mark.slow
def test_run_killed_at_random_ends_as_one_that_never_was(
    tmp_path, monkeypatch
):
    options = [
        *TINY,
        # All that is drawn by chance
        *('--flip', '--shift', '2', '--dropout', '0.5', '--momentum', '0.9'),
        *('--name', 'a', '--checkpoint-seconds', '0'),
    ]
    whole, killed = tmp_path / 'whole', tmp_path / 'killed'
    done('train', *options, '--runs', whole)
    rng = random.Random(0)
    words, kills = ['train', *options, '--runs', killed], 0
    while kills < 5:
        process = start(*words, cwd=tmp_path)
        if kills:  # From its first line on it is under way
            process.stdout.readline()
        time.sleep(rng.uniform(0, 3 if kills == 0 else 0.5))
        process.kill()
        process.communicate()
        kills += 1
        if (killed / 'a' / 'run.json').exists():
            words = ['train', '--resume', killed / 'a']
            if Run.open(killed / 'a').info['status'] == 'finished':
                break
    else:
        done(*words)
    assert_same_run(killed / 'a', whole / 'a')
