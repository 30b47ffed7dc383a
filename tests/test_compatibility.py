"""What `import d2l_vgg` does to make MXNet work, and how cores are counted.

What must be seen at the first import is tried in a process of its own.
"""

import math
import os
import subprocess
import sys

import pytest

from d2l_vgg import compatibility

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def run_python(code, *options, **variables):
    """Run `code` in a fresh Python at the root and return what it prints."""
    env = {**os.environ, **variables}
    if 'OMP_NUM_THREADS' not in variables:
        env.pop('OMP_NUM_THREADS', None)
    result = subprocess.run(
        [sys.executable, *options, '-c', code],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_import_of_the_package_imports_no_framework():
    frameworks = {'mxnet', 'd2l', 'torch', 'tensorflow', 'jax', 'flax'}
    loaded = run_python('import sys, d2l_vgg; print(*sys.modules)').split()
    assert 'd2l_vgg' in loaded
    assert not frameworks & set(loaded)


def test_numpy_bool_exists_and_no_warning_is_given():
    # With NumPy 1.20 to 1.23 the bare name would warn, which is an error here
    code = 'import numpy, d2l_vgg; print(numpy.bool(1) == True)'
    assert run_python(code, '-W', 'error') == 'True'


def test_mxnet_and_d2l_work_after_the_import():
    pytest.importorskip('mxnet')
    pytest.importorskip('d2l')
    code = (
        'import d2l_vgg\n'
        'from d2l import mxnet as d2l\n'
        'from mxnet import np, npx\n'
        'npx.set_np()\n'
        # A comparison becomes an array of `numpy.bool`
        'print(np.array([1, 2]) > 1, d2l.LinearRegression(lr=0.1).lr)'
    )
    assert run_python(code) == '[False  True] 0.1'


def test_mxnet_works_with_the_stand_in_for_distutils():
    pytest.importorskip('mxnet')
    code = (
        'import os, sys\n'
        'from d2l_vgg import compatibility\n'
        'for module in compatibility._distutils():\n'
        '    sys.modules[module.__name__] = module\n'
        'from mxnet import np, npx\n'
        'npx.set_np()\n'
        # The function with which MXNet compares versions of NumPy
        'print(np.empty_like(np.ones((2, 3))).shape, flush=True)\n'
        # MXNet's threads have once kept a process from ending here
        'os._exit(0)'
    )
    assert run_python(code) == '(2, 3)'


def test_stand_in_compares_versions_by_their_numbers():
    _, module = compatibility._distutils()
    for version in (module.LooseVersion, module.StrictVersion):
        assert version('1.9') < version('1.17') <= version('1.17.0')
        assert version('1.26.4') >= version('1.6.0')
        assert version('1.23.5') == version('1.23.5')


def test_mxnet_is_told_to_use_every_core():
    code = 'import d2l_vgg, os; print(os.environ["OMP_NUM_THREADS"])'
    assert run_python(code) == str(compatibility.physical_cores())
    # What the user has set stands
    assert run_python(code, OMP_NUM_THREADS='7') == '7'


def test_physical_cores_is_within_what_the_system_tells():
    assert 1 <= compatibility.physical_cores() <= os.cpu_count()


@pytest.mark.skipif(
    not hasattr(os, 'sched_setaffinity'), reason='only Linux binds processes'
)
def test_physical_cores_respects_the_binding_of_the_process():
    code = (
        'import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n'
        'from d2l_vgg import compatibility\n'
        'print(compatibility.physical_cores())'
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
        (1, 2, 1, {0, 1}, 2),
        (1, 2, 2, {0, 1, 2, 3}, 2),
        (2, 4, 2, set(range(16)), 8),
        # Two threads of one core, then the same core number of two sockets
        (2, 4, 2, {0, 8}, 1),
        (2, 4, 2, {0, 4}, 2),
        (1, 1, 1, {0}, 1),
    ],
)
def test_threads_of_one_core_count_once(
    sockets, cores, threads, usable, expected
):
    text = cpuinfo(sockets, cores, threads)
    assert compatibility._count_cores(text, usable) == expected


def test_every_processor_counts_where_cores_are_not_told():
    arm = ''.join(
        f'processor\t: {i}\nCPU part\t: 0xd0c\n\n' for i in range(4)
    )
    assert compatibility._count_cores(arm, {0, 1, 2, 3}) == 4
    assert compatibility._count_cores(arm, {1, 3}) == 2
    assert compatibility._count_cores('vendor_id : IBM\n', {0, 1, 2}) == 3


@pytest.mark.parametrize(
    'files, expected',
    [
        ({}, math.inf),
        ({'cpu.max': 'max 100000\n'}, math.inf),
        ({'cpu.max': '200000 100000\n'}, 2),
        ({'cpu.max': '250000 100000\n'}, 2),
        ({'cpu.max': '50000 100000\n'}, 0),
        (
            {
                'cpu/cpu.cfs_quota_us': '-1\n',
                'cpu/cpu.cfs_period_us': '100000\n',
            },
            math.inf,
        ),
        (
            {
                'cpu/cpu.cfs_quota_us': '300000\n',
                'cpu/cpu.cfs_period_us': '100000\n',
            },
            3,
        ),
    ],
)
def test_quota_of_a_container(tmp_path, files, expected):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert compatibility._cpu_quota(str(tmp_path)) == expected
