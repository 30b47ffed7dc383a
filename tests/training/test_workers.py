"""How minibatches are dealt to processes, and what these refuse."""

import json
import socket
from unittest import mock

import numpy as np
import pytest

from d2l_vgg import machine
from d2l_vgg.training import processes, workers


class Group(processes.ProcessGroup):
    """A process whose engine adds what another is said to have given."""

    theirs = b''

    def meet(self, host, port):
        self.status = 0  # The tests' own process ends as it would

    def sum(self, arrays):
        told = arrays[0].reshape(2, -1)
        if told.shape[1] == 1:
            told[1] = len(self.theirs)
        else:
            theirs = np.frombuffer(self.theirs, 'uint8')
            told[1, : len(theirs)] = theirs
        return arrays


class Trainer:
    """As much of one as a group asks for."""

    draws_seed = False
    train_dataloader = mock.Mock(to_device=lambda array, dtype: array)
    epoch = train_batch_idx = 0

    def settings(self):
        return {'lr': 0.1, 'digest': 'abc', 'framework': 'jax'}


@pytest.fixture(autouse=True)
def no_launcher(monkeypatch):
    for name in 'MASTER_ADDR', 'MASTER_PORT', 'PMIX_NAMESPACE':
        monkeypatch.delenv(name, raising=False)
    for names in workers.OPEN_MPI.items():
        for name in names:
            monkeypatch.delenv(name, raising=False)


@pytest.fixture
def group(monkeypatch):
    """Return the process of a rank among so many."""

    def make(rank, count):
        monkeypatch.setenv('RANK', str(rank))
        monkeypatch.setenv('WORLD_SIZE', str(count))
        return Group()

    return make


@pytest.mark.parametrize('count', [1, 2, 3, 7, 64])
@pytest.mark.parametrize('size', [1, 2, 16, 31, 128])
def test_shares_deal_each_example_once(group, count, size):
    dealt, weights = [], 0
    for rank in range(count):
        process = group(rank, count)
        taken = range(1000)[process.share(100, 100 + size)]
        assert taken and taken[0] >= 100 and taken[-1] < 100 + size
        if process.weight:
            dealt += taken
            assert process.weight == pytest.approx(len(taken) / size)
        weights += process.weight
    assert dealt == list(range(100, 100 + size))
    assert weights == pytest.approx(1)


@pytest.mark.parametrize(
    ('changes', 'told'),
    [
        ({'lr': 0.2}, 'Worker 1 of 2 has lr 0.2, and worker 0 has 0.1'),
        ({'digest': 'x'}, 'has digest x'),
        ({'jax': '0.1'}, 'has jax 0.1'),
        ({'blocks': [[1, 64]] * 2000, 'lr': 0.2}, 'has lr 0.2'),
    ],
)
def test_what_another_process_has_is_told_by_name(group, changes, told):
    process, trainer = group(0, 2), Trainer()
    mine = {**machine.versions('jax'), **trainer.settings()}
    process.theirs = json.dumps([{**mine, **changes}, [0, 0, 0]]).encode()
    with pytest.raises(ValueError, match=told):
        process.agree(trainer, resumes=False)


def test_prepare_refuses_foreign_loaders_and_chance(group):
    process, trainer = group(0, 2), Trainer()
    trainer.train_dataloader = trainer.val_dataloader = [1, 2]
    with pytest.raises(ValueError, match='not those of list'):
        process.prepare(trainer, resumes=False)
    trainer.draws_seed = True
    with pytest.raises(ValueError, match='give them a seed'):
        process.prepare(trainer, resumes=False)


@pytest.mark.parametrize(
    ('rank', 'count', 'told'),
    [
        ('2', '2', 'is 2, but there are only 2'),
        ('x', '2', r"\$RANK is 'x'"),
        ('0', '-2', r"\$WORLD_SIZE is '-2'"),
        ('0', '\u00b2', r'\$WORLD_SIZE is'),
    ],
)
def test_wrong_rank_or_count_is_refused(group, rank, count, told):
    with pytest.raises(ValueError, match=told):
        group(rank, count)


def test_address_that_is_taken_is_refused(group, monkeypatch):
    with socket.create_server(('127.0.0.1', 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setenv('MASTER_PORT', str(port))
        with pytest.raises(OSError, match=f'cannot meet at 127.0.0.1:{port}'):
            group(0, 2)


def test_framework_without_processes_refuses_several(monkeypatch):
    monkeypatch.setenv('WORLD_SIZE', '2')
    processes.join.cache_clear()  # Of trainers before
    with pytest.raises(ValueError, match='^2 processes were started, and'):
        processes.join(None)


def open_mpi(monkeypatch, local_size):
    told = {'SIZE': 4, 'RANK': 3, 'LOCAL_RANK': 1, 'LOCAL_SIZE': local_size}
    for name, value in told.items():
        monkeypatch.setenv(f'OMPI_COMM_WORLD_{name}', str(value))


def test_address_under_mpirun_is_that_of_the_job(monkeypatch):
    open_mpi(monkeypatch, local_size=4)
    assert (workers.rank(), workers.count()) == (3, 4)
    found = []
    for job in 'prterun-a-1@1', 'prterun-a-2@1', 'prterun-a-1@1':
        monkeypatch.setenv('PMIX_NAMESPACE', job)
        found.append(workers.address())
    assert found[0] == found[2] != found[1]
    assert {host for host, _ in found} == {'127.0.0.1'}
    assert all(1024 < port < 32768 for _, port in found)


def test_several_machines_have_to_be_told_an_address(monkeypatch):
    open_mpi(monkeypatch, local_size=2)
    with pytest.raises(ValueError, match='mpirun -x MASTER_ADDR=HOST'):
        workers.address()
    monkeypatch.setenv('MASTER_ADDR', 'gpu1')
    monkeypatch.setenv('MASTER_PORT', '4000')
    assert workers.address() == ('gpu1', 4000)


@pytest.mark.parametrize(
    ('visible', 'place', 'taken'),
    [
        (None, 1, '1'),
        ('2,0', 1, '0'),
        ('GPU-8932f937,MIG-5', 0, 'GPU-8932f937'),
        ('', 3, ''),
        ('-1', 3, '-1'),
    ],
)
def test_process_takes_gpu_of_its_own(monkeypatch, visible, place, taken):
    monkeypatch.setattr(processes.gpus, 'names', lambda: ['H100'] * 2)
    # Registered, so that what is set here is gone after the test
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', visible or '')
    if visible is None:
        monkeypatch.delenv('CUDA_VISIBLE_DEVICES')
    monkeypatch.setenv('WORLD_SIZE', '4')
    monkeypatch.setenv('LOCAL_RANK', str(place))
    processes.take_gpu()
    assert processes.os.environ['CUDA_VISIBLE_DEVICES'] == taken


def test_fewer_gpus_than_processes_are_refused(group, monkeypatch):
    monkeypatch.setattr(processes.gpus, 'names', lambda: ['H100'] * 2)
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
    monkeypatch.setenv('LOCAL_RANK', '2')
    with pytest.raises(ValueError, match='number 3 .* which has 2 GPUs'):
        group(2, 3)
