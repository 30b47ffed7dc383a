"""How minibatches are dealt to workers, and what these refuse."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from d2l_vgg import wheels
from d2l_vgg.training import team as teams
from d2l_vgg.training import workers


class Team(teams.Team):
    """A worker whose engine adds what the others are said to have given."""

    __module__ = 'd2l_vgg.jax.workers'  # It has the framework's name
    others = None

    def meet(self):
        pass

    def sum(self, arrays):
        return [a + (self.others or np.zeros_like)(a) for a in arrays]

    def to_device(self, array, trainer):
        return array

    def to_numpy(self, array):
        return array


@pytest.fixture
def team(monkeypatch):
    """Return the worker of a rank among so many."""

    def make(rank, count):
        monkeypatch.setenv('RANK', str(rank))
        monkeypatch.setenv('WORLD_SIZE', str(count))
        return Team()

    return make


@pytest.mark.parametrize('count', [1, 2, 3, 7, 64])
@pytest.mark.parametrize('size', [1, 2, 16, 31, 128])
def test_each_example_is_dealt_once(team, count, size):
    dealt, weights = [], 0
    for rank in range(count):
        worker = team(rank, count)
        share = worker.share(100, 100 + size)
        taken = range(1000)[share]
        assert taken and taken[0] >= 100 and taken[-1] < 100 + size
        if worker.weight:
            dealt += taken
        assert worker.weight == pytest.approx(
            len(taken) / size if worker.weight else 0
        )
        weights += worker.weight
    assert dealt == list(range(100, 100 + size))
    assert weights == pytest.approx(1)


def test_the_mean_of_shares_is_that_of_the_whole(team):
    values = np.arange(31.0)
    total = 0
    for rank in range(4):
        worker = team(rank, 4)
        share = worker.share(0, 31)
        total += worker.mean([values[share].mean()])[0]
    assert total == pytest.approx(values.mean())


def test_another_dropout_for_each(team):
    seeds = [team(rank, 4).own_seed for rank in range(4)]
    assert seeds[0] == () and len(set(seeds)) == 4


class Trainer:
    """As much of one as is asked here."""

    draws_seed = False

    def settings(self):
        return {'lr': 0.1, 'digest': 'abc'}


@pytest.mark.parametrize(
    ('changes', 'told'),
    [
        ({'lr': 0.2}, 'Worker 1 of 2 has lr 0.2, and worker 0 has 0.1'),
        ({'digest': 'x'}, 'has digest x'),
        ({'jax': '0.1'}, 'has jax 0.1'),
    ],
)
def test_who_would_train_otherwise(team, changes, told):
    worker = team(0, 2)
    mine = {**wheels.versions('jax'), **Trainer().settings()}
    theirs = json.dumps({**mine, **changes}).encode()

    def others(array):
        found = np.zeros_like(array)
        found[1, : len(theirs)] = np.frombuffer(theirs, 'uint8')
        return found

    worker.others = others
    with pytest.raises(ValueError, match=told):
        worker.check_same(Trainer())


def test_foreign_loaders_and_chance_are_refused(team):
    worker, trainer = team(0, 2), Trainer()
    trainer.train_dataloader = trainer.val_dataloader = [1, 2]
    with pytest.raises(ValueError, match='not those of list'):
        worker.prepare(trainer, resumes=False)
    trainer.draws_seed = True
    with pytest.raises(ValueError, match='give them a seed'):
        worker.prepare(trainer, resumes=False)


def test_a_number_left_over_from_another_job(monkeypatch):
    monkeypatch.setenv('RANK', '3')
    monkeypatch.delenv('WORLD_SIZE', raising=False)
    assert workers.rank() == 0 and workers.count() == 1


@pytest.mark.parametrize(
    ('rank', 'count', 'told'),
    [
        ('2', '2', 'only 2 workers'),
        ('x', '2', r"\$RANK is 'x'"),
        ('0', '-2', r"\$WORLD_SIZE is '-2'"),
        ('0', '\u00b2', r'\$WORLD_SIZE is'),
    ],
)
def test_wrong_numbers(team, rank, count, told):
    with pytest.raises(ValueError, match=told):
        team(rank, count)


def test_a_rank_without_others_keeps_its_run(monkeypatch):
    monkeypatch.setenv('RANK', '3')
    monkeypatch.delenv('WORLD_SIZE', raising=False)
    assert workers.rank() == 0 and workers.count() == 1
    monkeypatch.setenv('WORLD_SIZE', '1')
    assert workers.rank() == 0


@pytest.mark.parametrize('launched', [False, True])
def test_who_waits_for_nobody_is_told(team, monkeypatch, capsys, launched):
    monkeypatch.setattr(teams, 'SECONDS_TO_TELL', 0.1)
    monkeypatch.setattr(Team, 'meet', lambda team: time.sleep(0.5))
    monkeypatch.delenv(workers.LISTENS, raising=False)
    if launched:
        monkeypatch.setenv(workers.LISTENS, '0')
    team(0, 2)
    errors = capsys.readouterr().err
    told = 'Worker 0 of 2 waits for the others at 127.0.0.1'
    assert (told in errors) != launched
    assert ('unset WORLD_SIZE' in errors) != launched


def test_ctrl_c_while_an_engine_waits():
    # As within a library, where Python's own handlers are not heard
    code = (
        'import ctypes\n'
        'from d2l_vgg.training import interrupts, team\n'
        'class Team(team.Team):\n'
        '    sum = to_device = to_numpy = None\n'
        '    def meet(self):\n'
        '        print(flush=True)\n'
        '        while True: ctypes.PyDLL(None).sleep(60)\n'
        'with interrupts.once(): Team()'
    )
    process = subprocess.Popen(
        [sys.executable, '-c', code],
        env={**os.environ, 'WORLD_SIZE': '2'},
        stdout=subprocess.PIPE,
    )
    with process:
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(10) == -signal.SIGINT
        finally:
            process.kill()


def test_who_waits_too_long_is_ended():
    code = (
        'import time; from d2l_vgg.training import team\n'
        'with team.ended_after(0.2): time.sleep(60)'
    )
    result = subprocess.run(
        [sys.executable, '-c', code],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert result.returncode == 1
    assert 'has waited 0.2 seconds for the others' in result.stderr


def test_a_worker_trains_with_dropout_of_its_own():
    pytest.importorskip('torch')
    from d2l_vgg import torch as package

    data = package.FashionMNIST(16, 28, num_train=32, num_val=16)

    def loss(*own_seed):
        trainer = package.Trainer(1, display='none', seed=0)
        trainer.workers.own_seed = own_seed
        model = package.VGG(((1, 4),), 0.05)
        return trainer.fit(model, data).points['train_loss']

    assert loss() == loss()
    assert loss(1) == loss(1)
    assert loss() != loss(1) != loss(2)
