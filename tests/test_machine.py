"""How the cores that a process may use are counted."""

import itertools
import math
import os

import pytest
from processes import run_python

from d2l_vgg import machine


@pytest.mark.skipif(
    not hasattr(os, 'sched_setaffinity'), reason='only Linux binds processes'
)
def test_cores_are_those_of_the_machine_that_the_process_is_bound_to():
    assert 1 <= machine.physical_cores() <= os.cpu_count()
    code = (
        'import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n'
        'from d2l_vgg import machine\n'
        'print(machine.physical_cores())'
    )
    assert run_python(code) == '1'


def test_system_that_binds_no_processes_lets_them_use_all(monkeypatch):
    monkeypatch.delattr(os, 'sched_getaffinity', raising=False)
    assert machine.processors() == set(range(os.cpu_count()))
    assert 1 <= machine.physical_cores() <= os.cpu_count()


@pytest.mark.parametrize(
    # Of two sockets with two cores, each of which has two threads
    'siblings, usable, expected',
    [
        (['0,4', '1,5', '2,6', '3,7'] * 2, range(8), 4),
        (['0,4', '1,5', '2,6', '3,7'] * 2, {0, 4}, 1),
        (['0,4', '1,5', '2,6', '3,7'] * 2, {0, 2}, 2),
        # A system that does not tell of cores
        ([], {0, 1, 2}, 3),
    ],
)
def test_threads_of_one_core_count_once(tmp_path, siblings, usable, expected):
    for i, text in enumerate(siblings):
        folder = tmp_path / f'cpu{i}' / 'topology'
        folder.mkdir(parents=True)
        (folder / 'thread_siblings_list').write_text(f'{text}\n')
    assert machine._count_cores(usable, tmp_path) == expected


@pytest.mark.parametrize(
    # Running at each look, this process included
    'cores, processors, running, expected',
    [
        (2, 2, '1', '2'),
        (2, 2, '2', '1'),
        (2, 2, '7', '1'),
        (4, 8, '3', '4'),
        (4, 8, '7', '2'),
        # Some wake for a moment, one computes
        (4, 4, '42352', '3'),
        # Systems that do not tell
        (4, 4, '0', '4'),
        (4, 4, '', '4'),
    ],
)
def test_threads_are_as_many_as_cores_that_others_leave(
    tmp_path, monkeypatch, cores, processors, running, expected
):
    looks = itertools.cycle(running or [''])

    def let_others_run(seconds):
        text = f'0.5 0.4 0.3 {next(looks)}/95 9320\n' if running else ''
        (tmp_path / 'loadavg').write_text(text)

    monkeypatch.setattr(machine.time, 'sleep', let_others_run)
    monkeypatch.setattr(machine, 'physical_cores', lambda: cores)
    monkeypatch.setattr(os, 'cpu_count', lambda: processors)
    for name in 'OMP_NUM_THREADS', 'OMP_WAIT_POLICY', 'GOMP_SPINCOUNT':
        monkeypatch.delenv(name, raising=False)
    machine.use_free_cores(tmp_path)
    assert os.environ['OMP_NUM_THREADS'] == expected
    assert int(os.environ['GOMP_SPINCOUNT']) < 300_000  # What GNU's takes
    monkeypatch.setenv('OMP_NUM_THREADS', '7')  # The reader's own
    monkeypatch.setenv('OMP_WAIT_POLICY', 'active')
    monkeypatch.delenv('GOMP_SPINCOUNT')
    machine.use_free_cores(tmp_path)
    assert os.environ['OMP_NUM_THREADS'] == '7'
    assert 'GOMP_SPINCOUNT' not in os.environ


@pytest.mark.parametrize(
    'files, expected',
    [
        ({}, math.inf),
        ({'cpu.max': 'max 100000\n'}, math.inf),
        ({'cpu.max': '250000 100000\n'}, 2),
        ({'cpu.max': '50000 100000\n'}, 0),
        (
            {
                'cpu/cpu.cfs_quota_us': '300000\n',
                'cpu/cpu.cfs_period_us': '100000\n',
            },
            3,
        ),
    ],
)
def test_quota_of_a_container_is_read(tmp_path, files, expected):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert machine._cpu_quota(tmp_path) == expected
