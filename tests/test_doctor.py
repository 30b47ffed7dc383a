"""What doctor says, by answers that were recorded, and how it asks."""

import json
import re

import pytest

from d2l_vgg import doctor, probing
from d2l_vgg.commands.doctor import headline, page, without_names
from d2l_vgg.doctor import Check, Findings
from d2l_vgg.gpus import Driver, Gpu
from d2l_vgg.training.experiments import EXPERIMENTS

GIB = 2**30
T4 = Gpu('Tesla T4', (7, 5), 15 * GIB, 14 * GIB)
ADA = Gpu('RTX 4090', (8, 9), 24 * GIB, 20 * GIB)
H100 = Gpu('H100', (9, 0), 80 * GIB, 79 * GIB)
B200 = Gpu('B200', (10, 0), 180 * GIB, 179 * GIB)
OLD = Gpu('Tesla K80', (3, 7), 12 * GIB, 11 * GIB)
# What a framework tells that trains on the CPU
ON_CPU = {'imports': True, 'CPU': True, 'problem': ''}


def driver(*gpus, version='535.129.03', cuda=(12, 2)):
    return Driver(version, cuda, list(gpus))


# ------------------------------------------------------------ how it asks


@pytest.mark.parametrize(
    'code, told',
    [
        ('import os; os.kill(os.getpid(), 11)', 'it crashed by SIGSEGV'),
        ('import time; time.sleep(100)', 'no answer within 2 seconds'),
        ('raise ImportError("libcudart.so.13 is gone")', 'libcudart.so.13'),
        ('import os; os._exit(3)', 'ended by itself with status 3'),
        ('raise SystemExit("no license")', 'no license'),
    ],
)
def test_ask_tells_how_a_framework_ended(code, told, tmp_path, monkeypatch):
    (tmp_path / 'torch.py').write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert told in probing.ask('torch', seconds=2)['problem']


@pytest.mark.parametrize('name', ['mxnet', 'torch', 'tensorflow', 'jax'])
def test_ask_trains_an_installed_framework(name):
    pytest.importorskip(name)
    facts = probing.ask(name)
    assert facts['CPU'] and facts['imports'] and facts['problem'] == ''


# ------------------------------------------------------- what it says of it


@pytest.fixture
def versions(monkeypatch):
    """The packages that are installed, by name."""
    found = {'python': '3.11.7', 'torch': '2.13.0', 'mxnet': '1.9.1'}
    monkeypatch.setattr(doctor.machine, 'versions', lambda name: found)
    return found


@pytest.mark.parametrize(
    'gpu, seen, told',
    [
        ({}, None, 'trains on the CPU'),
        ({}, driver(), 'trains on the CPU'),
        ({'GPU': True}, driver(B200), 'trains on CPU and GPU'),
    ],
)
def test_framework_that_trains_on_all_that_is_there_is_well(
    gpu, seen, told, versions
):
    check = doctor.check_framework('torch', {**ON_CPU, **gpu}, seen)
    assert not check.do and check.text == f'torch 2.13.0: {told}'


@pytest.mark.parametrize(
    'facts, how', [({'imports': True}, 'no training'), ({}, 'no import')]
)
def test_framework_that_does_not_train_is_told_with_commands(
    facts, how, versions
):
    facts = {**facts, 'problem': 'libgomp is gone'}
    check = doctor.check_framework('torch', facts, None)
    assert f'{how}: libgomp is gone' in check.text
    assert 'uninstall --yes torch' in check.commands[0]
    assert len(check.commands) >= 2


@pytest.mark.parametrize('version', ['1.9.1', '2.0.0b1'])
def test_mxnet_that_does_not_import_is_installed_again_as_it_was(
    version, versions, monkeypatch
):
    monkeypatch.setenv('VENV', 'no environment of make')
    versions['mxnet'] = version
    check = doctor.check_framework('mxnet', {'problem': 'no'}, None)
    assert f'mxnet=={version} d2l' in check.commands[1]


def test_two_wheels_of_mxnet_are_told_to_overwrite_each_other(versions):
    versions['mxnet-cu117'] = '1.9.1'
    check = doctor.check_framework('mxnet', {'problem': 'no'}, None)
    assert 'share one folder' in check.text
    assert 'uninstall --yes mxnet mxnet-cu117' in check.commands[0]


@pytest.mark.parametrize(
    'gpu, told',
    [
        (T4, 'cu117'),
        (ADA, 'cu117'),
        (H100, "MXNet in NVIDIA's container"),
        (B200, 'GPU: PyTorch, JAX, or a wheel of MXNet 2'),
        (OLD, 'GPU: none'),
    ],
)
def test_mxnet_for_cpu_is_told_the_way_to_gpu_by_its_capability(
    gpu, told, versions
):
    check = doctor.check_framework('mxnet', ON_CPU, driver(gpu))
    assert told in ' '.join([check.do, *check.commands])


# What NVML tells of a driver of either line
R580 = driver(H100, version='580.95.05', cuda=(13, 0))
R590 = driver(H100, version='590.48.01', cuda=(13, 1))
CUDA_13 = '2.0.0+cu13.bw.20260614'


@pytest.mark.parametrize(
    'mxnet, seen, numpy, python, told',
    [
        (CUDA_13, R580, '1.26.4', '3.12.1', ['with the driver 580.95.05']),
        (CUDA_13, R590, '1.26.4', '3.12.1', []),
        (CUDA_13, R590, '2.4.6', '3.12.1', ['below 2, here is 2.4.6']),
        (CUDA_13, R590, '1.26.4', '3.13.0', ['and 3.12, here is 3.13.0']),
        (CUDA_13, R580, '2.4.6', '3.13.0', ['580', '2.4.6', '3.13.0']),
        ('2.0.0+cpu.linux.20260614', R580, '2.4.6', '3.12.1', ['2.4.6']),
        # Tested here with both
        ('2.0.0b1', R580, '2.4.6', '3.13.0', []),
        ('1.9.1', R580, '2.4.6', '3.13.0', []),
    ],
)
def test_mxnet_2_of_2026_is_held_against_what_its_makers_say(
    mxnet, seen, numpy, python, told, versions
):
    versions.update(mxnet=mxnet, numpy=numpy, python=python)
    checks = doctor.check_mxnet_2(seen)
    assert len(checks) == len(told)
    for check, words in zip(checks, told):
        assert check.text.startswith(f'{mxnet} ') and words in check.text
        assert check.do


def test_examine_tells_what_mxnet_2_does_not_go_with(versions, monkeypatch):
    versions.update(mxnet=CUDA_13, numpy='1.26.4')
    monkeypatch.setattr(doctor, 'is_installed', lambda name: False)
    monkeypatch.setattr(doctor.gpus, 'driver', lambda: (R580, ''))
    checks = doctor.examine('quick', 1, print).checks
    assert '580.95.05' in [c.text for c in checks if c.subject == 'MXNet'][0]


def test_other_framework_without_cuda_is_told_what_to_install(
    versions, monkeypatch
):
    check = doctor.check_framework('torch', ON_CPU, driver(T4))
    assert 'build with CUDA' in check.do
    assert check.commands[-1].endswith("'torch>=2.13'")
    check = doctor.check_framework('jax', ON_CPU, driver(T4))
    assert check.commands[-1].endswith('flax optax')
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '')
    check = doctor.check_framework('torch', ON_CPU, driver(T4))
    assert check.commands == ('unset CUDA_VISIBLE_DEVICES',)


def test_driver_that_does_not_answer_is_told():
    (check,) = doctor.check_gpus(None, 'Version mismatch', needed=0)
    assert 'Version mismatch' in check.text and check.do
    (check,) = doctor.check_gpus(None, '', needed=0)
    assert not check.do
    # As to a container, or a cluster's job, that asked for none
    (check,) = doctor.check_gpus(driver(), '', needed=0)
    assert not check.do and '--gpus all' in check.text


@pytest.mark.parametrize(
    # Of JAX 85 % are 4.8e8, of MXNet all are less
    'free, well',
    [(5 * 10**8, True), (4 * 10**8, False)],
)
def test_memory_is_held_against_what_is_needed(free, well, monkeypatch):
    monkeypatch.setattr(doctor.machine, 'available_memory', lambda: free)
    quick = EXPERIMENTS['quick']
    check = doctor.check_memory('quick', quick, ['mxnet', 'jax'])
    assert (not check.do) == well
    assert re.search(
        'quick takes about 3.. MiB in MXNet, 5.. MiB in', check.text
    )


def test_disk_is_held_against_what_is_needed(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    experiment = EXPERIMENTS['book']
    assert not doctor.check_disk('book', experiment).do
    usage = doctor.shutil.disk_usage(tmp_path)._replace(free=10**8)
    monkeypatch.setattr(doctor.shutil, 'disk_usage', lambda path: usage)
    assert '--runs' in doctor.check_disk('book', experiment).do


# --------------------------------------------------------------- the report


FINDINGS = Findings(
    {'mxnet': ['CPU'], 'torch': ['CPU', 'GPU'], 'jax': ['CPU']},
    [
        Check('Python', '3.11.7, Linux'),
        Check('CUDA', 'missing ' * 20, 'Install it:', ('pip install cuda',)),
        Check('MXNet', 'evil \x1b[2J name\nof a file'),
    ],
)


def test_page_tells_what_works_first_then_what_to_do():
    lines = page(FINDINGS).splitlines()
    assert lines[0] == (
        'You can train here: on the CPU in MXNet, JAX; on the CPU and GPU in '
        'PyTorch.'
    )
    ok = [line.split()[1] for line in lines if line.startswith('ok ')]
    assert ok == ['Python', 'MXNet']
    assert lines[-1] == '        pip install cuda'
    assert max(map(len, lines)) <= 79
    assert '\x1b' not in page(FINDINGS)
    assert headline({}).startswith('You cannot train here')


def test_report_names_neither_user_nor_home(monkeypatch):
    monkeypatch.setenv('HOME', '/data/anna')
    monkeypatch.setenv('LOGNAME', 'anna')
    value = {
        'a': ['/data/anna/venv', '/home/berta/x', '/mnt/anna/y'],
        'b': 'anna is a name, too',
        'c': 1,
    }
    assert json.loads(without_names(json.dumps(value))) == {
        'a': ['~/venv', '~/x', '/mnt/USER/y'],
        'b': 'anna is a name, too',
        'c': 1,
    }
