"""`d2l-vgg doctor`, in processes, on machines where this and that is broken.

The packages are stand-ins, on a path that has nothing else.
"""

import json
import os
import subprocess
import sys

import nvidia
import pytest
from command_line import done, run
from processes import ROOT

from d2l_vgg.doctor import ways

pytestmark = pytest.mark.skipif(
    sys.platform != 'linux', reason='the stand-ins are for Linux'
)


def doctor(site, *args, env=None, code=None, cwd=None):
    """Run it with the packages of a folder; return status and report."""
    command = ['-c', code] if code else ['-m', 'd2l_vgg.cli']
    result = subprocess.run(
        [sys.executable, '-S', *command, 'doctor', '--json', *args],
        env={
            'PATH': os.environ['PATH'],
            'PYTHONPATH': f'{site}:{ROOT}',
            'HOME': str(site),
            **(env or {}),
        },
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert 'Traceback' not in result.stderr
    return result.returncode, json.loads(result.stdout)


def of(report, subject):
    """Return the one check of a subject."""
    (check,) = [c for c in report['checks'] if c['subject'] == subject]
    return check


def test_with_nothing_at_all(tmp_path):
    status, report = doctor(tmp_path)
    assert status == 1 and report['can_train'] is False
    assert of(report, 'NumPy')['text'] == 'is not installed'
    assert of(report, 'frameworks')['commands']
    assert of(report, 'Python')['ok'] and of(report, 'disk')['ok']


@pytest.mark.parametrize('code, told', [
    ('import ctypes; ctypes.string_at(0)', 'it crashed by SIGSEGV'),
    ('import time; time.sleep(100)', 'no answer within 1 seconds'),
    ('raise ImportError("libcudart.so.13 is gone")', 'libcudart.so.13'),
])  # fmt: skip
def test_a_framework_that_does_not_load(tmp_path, code, told):
    for name in 'torch', 'numpy':
        (tmp_path / f'{name}.py').write_text(code)
    limit = '1' if 'sleep' in code else '60'
    status, report = doctor(tmp_path, '--time-limit', limit)
    assert status == 1
    for subject in 'PyTorch', 'NumPy':
        check = of(report, subject)
        assert told in check['text'] and check['do'] and check['commands']
    assert of(report, 'processor') and of(report, 'chapter')


@pytest.mark.skipif(not nvidia.has_compiler(), reason='no C compiler')
@pytest.mark.parametrize('gpus, told', [
    ([nvidia.A100], 'has code for this GPU'),
    ([nvidia.H100], 'cannot run on NVIDIA H100 80GB HBM3 (9.0)'),
    ([nvidia.H100, nvidia.T4], 'cannot run on all GPUs here'),
])  # fmt: skip
def test_a_wheel_for_gpus_by_what_its_library_holds(tmp_path, gpus, told):
    site, folder = tmp_path / 'site', tmp_path / 'driver'
    nvidia.put_mxnet(site, 'mxnet-cu117', library=nvidia.library())
    nvidia.make_driver(folder, gpus)
    _, report = doctor(site, env={'LD_LIBRARY_PATH': str(folder)})
    assert of(report, 'driver')['facts']['version'] == '535.129.03'
    for i, (name, *_) in enumerate(gpus):
        assert of(report, f'GPU {i}')['facts']['name'] == name
    check = of(report, 'MXNet')
    code = check['facts']['code']
    assert code == json.loads(json.dumps(ways.WHEEL_CODE._asdict()))
    # Where it fits, its CUDA libraries are to be installed
    fits = any(major < 9 for _, major, *_ in gpus)
    lacking = 'libcudnn.so.8' if fits else 'none here can run it'
    assert lacking in check['text']
    assert told in of(report, 'MXNet, GPU')['text']
    assert of(report, 'MXNet, GPU')['ok'] == (gpus[0][1] < 9)


@pytest.mark.parametrize('library', [b'', nvidia.library()[:-1]])
def test_a_damaged_library(tmp_path, library):
    nvidia.put_mxnet(tmp_path, 'mxnet-cu117', library=library)
    status, report = doctor(tmp_path)
    check = of(report, 'MXNet')
    assert status == 1 and 'libmxnet.so is damaged' in check['text']
    assert 'uninstall' in check['commands'][0]


def test_both_wheels(tmp_path):
    nvidia.put_mxnet(tmp_path, 'mxnet', 'mxnet-cu112')
    check = of(doctor(tmp_path)[1], 'MXNet')
    assert 'overwritten' in check['text']


def test_an_mxnet_that_pip_did_not_install(tmp_path):
    """As in NVIDIA's container."""
    library = nvidia.library([(2, 80), (2, 90), (1, 90)])
    nvidia.put_mxnet(tmp_path, library=library)
    check = of(doctor(tmp_path)[1], 'MXNet')
    assert check['text'].startswith('not installed by pip, 1.9.1')
    assert check['facts']['code']['ptx'] == [[9, 0]]
    # It has its own libraries, not those that pip brings
    assert check['facts']['missing'] == []


def test_a_machine_that_tells_nothing_of_itself(tmp_path):
    """No HOME, no /proc, no /sys, no programs, no user, no folder."""
    gone = tmp_path / 'gone'
    gone.mkdir()
    code = (
        'import builtins, os, pwd, sys\n'
        'from d2l_vgg import cli\n'
        'whole = builtins.open\n'
        'def some(path, *args, **more):\n'
        '    if str(path).startswith(("/proc", "/sys", "/etc")):\n'
        '        raise FileNotFoundError(2, "No such file", path)\n'
        '    return whole(path, *args, **more)\n'
        'builtins.open = some\n'
        'def nobody(*args): raise KeyError(args)\n'
        'pwd.getpwuid = pwd.getpwnam = nobody\n'
        'del os.environ["HOME"]\n'
        'os.environ.pop("OMP_NUM_THREADS", None)\n'
        'os.environ["PATH"] = ""\n'
        'os.rmdir(os.getcwd())\n'
        'sys.exit(cli.main(sys.argv[1:]))\n'
    )
    status, report = doctor(tmp_path, code=code, cwd=gone)
    assert status == 1 and not gone.exists()
    assert 'cannot be used' in of(report, 'disk')['text']
    assert of(report, 'processor')['ok']
    assert 'not told' in of(report, 'memory')['text']


def test_help_names_the_status_and_the_experiments(monkeypatch):
    monkeypatch.setenv('COLUMNS', '80')
    words = ' '.join(done('doctor', '--help').split())
    assert 'Exit status: 0 if one of them can train here, else 1' in words
    assert 'best' in words and '--time-limit' in words


def test_a_large_experiment_needs_more(tmp_path):
    small, large = [
        of(doctor(tmp_path, '--experiment', name)[1], 'memory')['facts']
        for name in ('quick', 'book')
    ]
    assert large['needed'] > 10 * small['needed']


@pytest.mark.slow
def test_where_a_framework_trains_the_status_is_0(tmp_path):
    """With all that is here: MXNet is the only one that is let in."""
    pytest.importorskip('mxnet')
    for name in 'torch', 'tensorflow', 'jax':
        (tmp_path / f'{name}.py').write_text('raise ImportError("not now")')
    result = run('doctor', env={'PYTHONPATH': f'{tmp_path}:{ROOT}'})
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].startswith('You can train here, on the CPU')
    assert lines[0].endswith('in MXNet.')
    assert max(map(len, lines)) <= 79
