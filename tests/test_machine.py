"""How the cores that a process may use are counted."""

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


def cpuinfo(sockets, cores, threads):
    """Return a /proc/cpuinfo in Linux's order: a core's threads apart."""
    places = [
        (socket, core)
        for _ in range(threads)
        for socket in range(sockets)
        for core in range(cores)
    ]
    return ''.join(
        f'processor\t: {i}\nmodel name\t: CPU @ 2.0: GHz\n'
        f'physical id\t: {socket}\ncore id\t\t: {core}\npower management:\n\n'
        for i, (socket, core) in enumerate(places)
    )


@pytest.mark.parametrize(
    'sockets, cores, threads, usable, expected',
    [
        (1, 2, 2, {0, 1, 2, 3}, 2),
        (2, 4, 2, set(range(16)), 8),
        # Two threads of one core, then the same core number of two sockets
        (2, 4, 2, {0, 8}, 1),
        (2, 4, 2, {0, 4}, 2),
    ],
)
def test_threads_of_one_core_count_once(
    sockets, cores, threads, usable, expected
):
    text = cpuinfo(sockets, cores, threads)
    assert machine._count_cores(text, usable) == expected


def test_every_processor_counts_where_cores_are_not_told():
    arm = ''.join(
        f'processor\t: {i}\nCPU part\t: 0xd0c\n\n' for i in range(4)
    )
    assert machine._count_cores(arm, {0, 1, 2, 3}) == 4
    assert machine._count_cores(arm, {1, 3}) == 2
    assert machine._count_cores('vendor_id : IBM\n', {0, 1, 2}) == 3


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
    assert machine._cpu_quota(str(tmp_path)) == expected
