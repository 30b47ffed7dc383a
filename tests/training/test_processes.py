"""Several processes compute what one does with the whole minibatch."""

import importlib.util
import os
import signal
import socket
import sys
import time

import frameworks
import numpy as np
import psutil
import pytest
from command_line import done, wait_for
from launchers import (
    MPIRUN,
    TORCHRUN,
    TRAIN,
    finish,
    is_gone,
    mpirun,
    pid_of,
    start,
)
from safetensors.numpy import load_file

from d2l_vgg.training.runs import Run

LOOPBACK = '127.0.0.1'
# A process takes as long as a framework does to be imported
SLOW = pytest.mark.slow
needs_torch = pytest.mark.skipif(
    not importlib.util.find_spec('torch'), reason='torch is not installed'
)

# Nothing is drawn by chance but the order of the images; three processes
# cannot deal these minibatches evenly, and the last has but two examples
SAME = (
    '--arch ((1,4),(1,8)) --hidden 16 --dropout 0 '
    '--resize 28 --batch-size 32 --num-train 130 --num-val 34 '
    '--no-batch-norm --momentum 0.9 --weight-decay 1e-3 --lr 0.05 '
    '--label-smoothing 0.1 --gradient-clip-val 1 --max-epochs 1 '
    '--display none --name a'
).split()
LONG = [*SAME, '--lr', '0.01', '--checkpoint-seconds', '0', '--max-epochs']


@pytest.fixture(
    params=[f for f in frameworks.FRAMEWORKS if f.name in ('torch', 'jax')],
    ids=lambda f: f.name,
)
def framework(request):
    """The options that choose a framework that is installed."""
    if not request.param.is_installed():
        pytest.skip(f'{request.param.name} is not installed')
    return '--framework', request.param.name


def train(num_processes, folder, *words):
    """Train in `folder`, by one process or several; return the `Run`."""
    folder.mkdir(exist_ok=True)
    if num_processes == 1:
        done('train', *words, '--runs', folder / 'runs')
    else:
        for name in 'queue.py', 'token.py':  # A reader's own
            (folder / name).write_text('raise ImportError("not Python\'s")')
        result = finish(mpirun(num_processes, *words), folder)
        assert result.returncode == 0, result.stderr
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
def test_several_processes_train_as_one(tmp_path, framework, several):
    one, other = (
        train(n, tmp_path / str(n), *framework, *SAME) for n in (1, several)
    )
    assert_close(one, other, rtol=2e-5)
    assert len(other.info['devices']) == several
    assert os.listdir(tmp_path / str(several) / 'runs') == ['a']


@SLOW
def test_running_mean_is_that_of_all_shares(tmp_path, framework):
    words = [*framework, *SAME, '--batch-norm', '--num-train', '32']
    one, two = (train(n, tmp_path / str(n), *words) for n in (1, 2))
    # In the first layer it is that of the whole minibatch, after one step
    name = 'norm1_1.running_mean'
    np.testing.assert_allclose(
        arrays(one)[name], arrays(two)[name], rtol=1e-4, atol=1e-7
    )


@SLOW
def test_killed_process_ends_all_and_run_is_resumed(tmp_path, framework):
    # The first in one framework, another one in the others
    rank = int(framework[1] != 'torch')
    whole = train(1, tmp_path / 'whole', *framework, *LONG, 20)
    process = start(mpirun(2, *framework, *LONG, 20), tmp_path)
    checkpoint = tmp_path / 'runs' / 'a' / 'checkpoint.safetensors'
    assert wait_for(checkpoint.exists, process)
    pids = [pid_of(process, i) for i in (0, 1)]
    hosts = {LOOPBACK}
    if framework[1] == 'jax':  # It tells Gloo no address
        hosts.add(socket.gethostbyname(socket.gethostname()))
    assert hosts_of(pids) <= hosts
    os.kill(pids[rank], signal.SIGKILL)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGKILL
    assert f'process rank {rank}' in errors and 'Killed' in errors
    assert all(map(is_gone, pids))
    resumed = train(3, tmp_path, '--resume', 'runs/a', '--display', 'none')
    assert_close(whole, resumed, rtol=1e-3)


def hosts_of(pids):
    """Return the addresses at which processes and their children listen."""
    found = map(psutil.Process, pids)
    found = [p for one in found for p in (one, *one.children())]
    return {
        each.laddr.ip.removeprefix('::ffff:')
        for process in found
        for each in process.net_connections('inet')
        if each.status == psutil.CONN_LISTEN
    }


@SLOW
def test_worker_that_waits_in_vain_ends(tmp_path, framework):
    code = (
        'from d2l_vgg.training import workers; workers.SECONDS_TO_MEET = {};'
        f'from d2l_vgg.{framework[1]} import Trainer; Trainer(1, seed=0)'
    )
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
    first, second = (
        start(
            [sys.executable, '-c', code.format(seconds)],
            tmp_path,
            RANK=str(rank),
            WORLD_SIZE='2',
            MASTER_PORT=str(port + rank),  # So that they do not meet
        )
        for rank, seconds in enumerate([100, 1])
    )
    told = f'Worker 1 of 2 has waited 1 seconds for the others at {LOOPBACK}'
    assert told in second.communicate(timeout=60)[1]
    assert second.returncode == 1
    assert 'waits for the others at' in first.stderr.readline()
    time.sleep(1)
    children = psutil.Process(first.pid).children()
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=20)
    assert first.returncode == -signal.SIGTERM
    assert all(is_gone(child.pid) for child in children)


@SLOW
@needs_torch
def test_torchrun_stopped_by_ctrl_c_is_resumed_by_one_process(tmp_path):
    words = ['--framework', 'torch', *LONG, '30']
    whole = train(1, tmp_path / 'whole', *words)
    process = start([*TORCHRUN, *TRAIN, *words], tmp_path)
    checkpoint = tmp_path / 'runs' / 'a' / 'checkpoint.safetensors'
    assert wait_for(checkpoint.exists, process)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert 'continue with' in output
    assert Run.open(tmp_path / 'runs' / 'a').info['status'] == 'stopped'
    done('train', '--resume', tmp_path / 'runs' / 'a', '--display', 'none')
    assert_close(whole, finished(tmp_path), rtol=1e-3)


@needs_torch
def test_process_with_other_hyperparameter_is_refused_by_name(tmp_path):
    words = ['-n', 1, sys.executable, *TRAIN, '--framework', 'torch', *SAME]
    result = finish(
        [*MPIRUN, *words, ':', *words, '--momentum', 0.5], tmp_path
    )
    told = 'Worker 1 of 2 has momentum 0.5, and worker 0 has 0.9'
    assert result.returncode == 1 and result.stderr.count(told) == 1


def test_error_of_all_processes_is_told_once(tmp_path):
    result = finish(mpirun(3, *SAME, '--data', 'nowhere'), tmp_path)
    told = 'd2l-vgg: There is no folder nowhere'
    assert result.returncode == 1 and result.stderr.count(told) == 1
    assert os.listdir(tmp_path) == []
