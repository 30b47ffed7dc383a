"""Several workers compute what one does with the whole minibatch."""

import signal

import numpy as np
import pytest
from command_line import done, run, start, wait_for
from safetensors.numpy import load_file
from workers import kill, pid_of

from d2l_vgg.commands import making
from d2l_vgg.training.runs import Run

# A worker takes as long as a framework does to be imported
SLOW = pytest.mark.slow

# Nothing is drawn by chance but the order of the images; three workers cannot
# deal these minibatches evenly, and the last of them has but two examples
SAME = (
    '--arch ((1,4),(1,8)) --hidden 16 --dropout 0 '
    '--resize 28 --batch-size 32 --num-train 130 --num-val 34 '
    '--no-batch-norm --momentum 0.9 --weight-decay 1e-3 --lr 0.05 '
    '--label-smoothing 0.1 --gradient-clip-val 1 --max-epochs 1 '
    '--display none --name a'
).split()


@pytest.fixture(autouse=True)
def without_estimate(monkeypatch):
    """Do not find out how long the book would take: that takes seconds."""
    monkeypatch.setattr(making, 'estimate_seconds', lambda *args: 7200)


def launch(num_workers, folder, *words):
    """Train in `folder`, by so many processes; return what came of it."""
    words = ['launch', '--workers', num_workers, '--', 'train', *words]
    result = run(*words, cwd=folder)
    assert result.returncode == 0, result.stderr
    return result


def train(framework, num_workers, folder, *words):
    """Train in `folder`, by one process or several; return the `Run`."""
    folder.mkdir()
    words = ['--framework', framework, *words]
    if num_workers == 1:
        done('train', *words, '--runs', folder / 'runs')
    else:
        launch(num_workers, folder, *words)
    return finished(folder)


def finished(folder):
    found = Run.open(folder / 'runs' / 'a')
    assert found.info['status'] == 'finished'
    return found


def arrays(found):
    return load_file(found.find_parameters())


def assert_close(one, other, rtol):
    """Parameters and points agree, relative to the largest of an array."""
    others = arrays(other)
    for name, array in arrays(one).items():
        atol = rtol * np.abs(array).max()
        np.testing.assert_allclose(
            array, others[name], rtol=0, atol=atol, err_msg=name
        )
    for name, series in one.history().points.items():
        other_series = other.history().points[name]
        np.testing.assert_allclose(
            series, other_series, rtol=rtol, err_msg=name
        )


@pytest.mark.parametrize('several', [2, pytest.param(3, marks=SLOW)])
def test_several_workers_train_as_one(tmp_path, framework, several):
    one, other = (
        train(framework, n, tmp_path / str(n), *SAME) for n in (1, several)
    )
    assert_close(one, other, rtol=2e-5)
    assert len(other.info['devices']) == several


@SLOW
def test_normalization_keeps_the_mean_of_all_shares(tmp_path, framework):
    words = [*SAME, '--batch-norm', '--num-train', '32']
    one, two = (
        train(framework, n, tmp_path / str(n), *words) for n in (1, 2)
    )
    # In the first layer it is that of the whole minibatch, after one step
    name = 'norm1_1.running_mean'
    np.testing.assert_allclose(
        arrays(one)[name], arrays(two)[name], rtol=1e-4, atol=1e-7
    )
    # A variance is not: each share has its own mean
    name = 'norm1_1.running_var'
    assert np.abs(arrays(one)[name] / arrays(two)[name] - 1).max() > 1e-6


@SLOW
def test_stopped_run_is_resumed_by_more(tmp_path, framework):
    words = [*SAME, '--max-epochs', '6', '--lr', '0.01', '--dropout', '0']
    whole = train(framework, 1, tmp_path / 'whole', *words)
    folder = tmp_path / 'stopped'
    folder.mkdir()
    words += ['--checkpoint-seconds', '0']
    process = start(
        *('launch', '--workers', '2', '--', 'train'),
        *('--framework', framework, *words),
        cwd=folder,
    )
    checkpoint = folder / 'runs' / 'a' / 'checkpoint.safetensors'
    assert wait_for(checkpoint.exists, process)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert 'continue with' in output and 'd2l-vgg: ' not in errors
    assert Run.open(folder / 'runs' / 'a').info['status'] == 'stopped'
    assert 'Resuming' in launch(3, folder, '--resume', 'runs/a').stdout
    assert_close(whole, finished(folder), rtol=1e-3)


@SLOW
def test_killed_worker_ends_all_and_their_run_is_resumed(tmp_path, framework):
    # The first worker in one framework, another one in the others
    rank = int(framework != 'torch')
    words = [*SAME, '--max-epochs', '30', '--lr', '0.01']
    process = start(
        *('launch', '--workers', '2', '--', 'train'),
        *('--framework', framework, *words, '--checkpoint-seconds', '0'),
        cwd=tmp_path,
    )
    checkpoint = tmp_path / 'runs' / 'a' / 'checkpoint.safetensors'
    assert wait_for(checkpoint.exists, process)
    found = [pid_of(process, i) for i in (0, 1)]
    kill(found[rank])
    _, errors = process.communicate(timeout=15)
    assert process.returncode == 1
    (line,) = [x for x in errors.splitlines() if x.startswith('d2l-vgg: ')]
    assert f'Worker {rank} of 2 was ended by SIGKILL' in line
    assert '--resume' in line
    for pid in found:
        with pytest.raises(ProcessLookupError):
            kill(pid)
    launch(3, tmp_path, '--resume', 'runs/a')
    finished(tmp_path)
