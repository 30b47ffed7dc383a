"""What is said of MXNet, by its wheel, the driver and the GPUs."""

import nvidia
import pytest

from d2l_vgg import cuda
from d2l_vgg.doctor import gpu_checks, mxnet_checks, ways
from d2l_vgg.doctor.fat_binaries import Capabilities
from d2l_vgg.doctor.mxnet_checks import Library
from d2l_vgg.doctor.probing import Outcome
from d2l_vgg.nvml import Driver, Gpu
from d2l_vgg.wheels import MXNet

CPU = Library(Capabilities((), ()))
GPU = Library(ways.WHEEL_CODE)
TRAINS = Outcome({'imports': True, 'on_cpu': 2.3}, '')
ON_GPU = Outcome({**TRAINS.facts, 'sees_gpu': True, 'on_gpu': 2.3}, '')
FAILS = Outcome({}, 'libcuda.so.1: cannot open shared object file')


def driver(*gpus, version='535.129.03'):
    return Driver(
        version,
        (12, 2),
        tuple(
            Gpu(name, (major, minor), mib << 20, mib << 20)
            for name, major, minor, mib in gpus
        ),
    )


def installed(*wheels):
    return MXNet(wheels, '1.9.1', '/site/mxnet', '/site/mxnet/libmxnet.so')


def check(wheel, library, outcome, found):
    """Return what is said of MXNet, and of MXNet and the GPU, if anything."""
    wheels = (wheel,) if isinstance(wheel, str) else wheel
    checks = mxnet_checks.check(installed(*wheels), library, outcome, found)
    return (*checks, None)[:2]


@pytest.fixture(autouse=True)
def by_hand(monkeypatch):
    """Commands for one who does not use `make`, on a machine for wheels."""
    monkeypatch.setattr(mxnet_checks.checks, 'make', lambda *words: None)
    monkeypatch.setattr(mxnet_checks.platform, 'machine', lambda: 'x86_64')


def test_the_wheel_for_the_cpu_without_a_gpu():
    here, gpu = check('mxnet', CPU, TRAINS, None)
    assert not here.do and 'trains on the CPU' in here.text
    assert gpu is None


@pytest.mark.parametrize('gpu', [nvidia.T4, nvidia.A100, nvidia.RTX_4090])
def test_there_is_a_wheel_for_this_gpu(gpu):
    here, there = check('mxnet', CPU, TRAINS, driver(gpu))
    assert not here.do
    assert f'there is a wheel for {gpu[0]}' in there.text
    commands = '\n'.join(there.commands)
    assert 'uninstall' in there.commands[0]
    assert commands.index('uninstall') < commands.index('cu117==1.9.1')


@pytest.mark.parametrize('wheel', ['mxnet', 'mxnet-cu112', 'mxnet-cu117'])
@pytest.mark.parametrize(
    'gpu, container', [(nvidia.H100, True), (nvidia.B200, False)]
)
def test_no_wheel_runs_on_hopper_and_newer(wheel, gpu, container):
    library = CPU if wheel == 'mxnet' else GPU
    here, there = check(wheel, library, TRAINS, driver(gpu))
    assert not here.do
    if wheel != 'mxnet':
        held = '5.0, 6.0, 7.0, 8.0, 8.6'
        assert held in there.text and 'cannot run on' in there.text
    commands = '\n'.join(there.commands)
    assert 'mxnet-cu' not in commands
    assert ('docker build' in commands) == container
    assert 'torch' in commands and '--num-gpus 0' in there.do


@pytest.mark.parametrize('gpu', [nvidia.T4, nvidia.A100, nvidia.RTX_4090])
def test_the_wheel_for_gpus_trains_there(gpu):
    here, there = check('mxnet-cu117', GPU, ON_GPU, driver(gpu))
    assert not here.do and not there.do
    assert 'trains on the GPU' in there.text


@pytest.mark.parametrize(
    'version, old',
    [('418.226.00', True), ('450.80.01', True), ('450.80.02', False),
     ('515.43.04', False)],
)  # fmt: skip
def test_a_driver_that_is_too_old(version, old):
    found = driver(nvidia.A100, version=version)
    _, there = check('mxnet-cu117', GPU, TRAINS, found)
    assert (version in there.text) == old
    assert ('450.80.02' in there.do) == old and '515' in there.do


def test_of_two_gpus_the_one_that_fits_is_named():
    found = driver(nvidia.H100, nvidia.T4)
    _, there = check('mxnet-cu117', GPU, TRAINS, found)
    assert there.commands == (
        'export CUDA_DEVICE_ORDER=PCI_BUS_ID CUDA_VISIBLE_DEVICES=1',
    )
    # And what it trains on is not complained of
    assert not check('mxnet-cu117', GPU, ON_GPU, found)[1].do


def test_cuda_libraries_that_are_missing_are_named_with_their_packages():
    missing = tuple(
        pair for pair in cuda.LIBRARIES if pair[0] in ('cudnn', 'cublas')
    )
    here, there = check(
        'mxnet-cu112', GPU._replace(missing=missing), FAILS, driver(nvidia.T4)
    )
    assert 'libcudnn.so.8' in here.text and 'libcublasLt.so.11' in here.text
    (command,) = here.commands
    if 'cuda-11' not in command:  # This package is installed
        assert 'nvidia-cudnn-cu11==8.' in command
        assert 'nvidia-cublas-cu11==11.' in command
        assert 'nccl' not in command
    assert not there.do


def test_a_wheel_for_gpus_without_a_driver():
    here, there = check('mxnet-cu117', GPU, FAILS, None)
    assert 'there is no driver' in here.text and there is None
    gone, come = here.commands[0], here.commands[1]
    assert 'uninstall' in gone and 'mxnet-cu117' in gone
    assert 'mxnet==1.9.1' in come.split()


@pytest.mark.parametrize('found, wheel', [
    (None, 'mxnet==1.9.1'), (driver(nvidia.A100), 'mxnet-cu117==1.9.1'),
    (driver(nvidia.H100), 'mxnet==1.9.1'),
])  # fmt: skip
@pytest.mark.parametrize('outcome', [TRAINS, FAILS])
def test_two_wheels_are_told_even_if_they_seem_to_work(found, wheel, outcome):
    here, there = check(('mxnet', 'mxnet-cu117'), GPU, outcome, found)
    assert 'overwritten' in here.text and there is None
    gone, come = here.commands[0], here.commands[1]
    assert 'mxnet ' in gone and 'mxnet-cu112' in gone and 'cu117' in gone
    assert wheel in come.split()


def test_a_damaged_library_is_installed_anew():
    library = Library(None, 'libmxnet.so is damaged: it is cut off')
    here, there = check('mxnet-cu117', library, FAILS, driver(nvidia.T4))
    assert 'libmxnet.so is damaged' in here.text
    assert 'uninstall' in here.commands[0]
    assert 'mxnet-cu117==1.9.1' in here.commands[1]
    assert not there.do


def test_what_an_error_of_ours_says_is_to_be_copied():
    problem = 'd2l is not installed: run `pip install --no-deps d2l==1.0.3`.'
    here, _ = check('mxnet', CPU, Outcome({}, problem), None)
    (command,) = here.commands
    assert command.endswith('pip install --no-deps d2l==1.0.3') or (
        '--python' in command and command.endswith('--no-deps d2l==1.0.3')
    )
    assert here.do == 'Do what it says:'


def test_no_wheel_comes_over_nvidias_own_mxnet():
    broken = Library(None, 'libmxnet.so is damaged: it is cut off')
    for library in broken, GPU:
        here, _ = check((), library, FAILS, None)
        assert here.commands == () and '--gpus all' in here.do


def test_a_wheel_that_no_gpu_here_can_run_needs_no_libraries():
    missing = GPU._replace(missing=cuda.LIBRARIES)
    here, _ = check('mxnet-cu117', missing, FAILS, driver(nvidia.H100))
    assert 'none here can run it' in here.text
    assert 'mxnet==1.9.1' in '\n'.join(here.commands)
    assert 'nvidia-' not in '\n'.join(here.commands)


def test_whatever_else_is_wrong_is_told_as_it_is():
    crash = Outcome({'imports': True}, 'it crashed by SIGILL')
    here, _ = check('mxnet', CPU, crash, None)
    assert 'no training: it crashed by SIGILL' in here.text
    hangs = Outcome({}, 'no answer within 300 seconds')
    here, _ = check('mxnet', CPU, hangs, None)
    assert 'no import: no answer within 300 seconds' in here.text


def test_nvidias_own_mxnet_is_left_alone():
    own = Library(Capabilities(((7, 0), (8, 0), (9, 0)), ((9, 0),)))
    here, there = check((), own, ON_GPU, driver(nvidia.H100))
    assert 'not installed by pip, 1.9.1' in here.text
    assert not here.do and not there.do


def test_the_way_to_mxnet_follows_from_the_compute_capability():
    for way, capabilities in {
        'wheel': [(5, 0), (7, 5), (8, 6), (8, 9)],
        'container': [(9, 0)],
        # Newer ones, and one that is older than Maxwell
        None: [(10, 0), (12, 0), (3, 5)],
    }.items():
        for capability in capabilities:
            assert ways.mxnet_way(capability) == way, capability


def test_gpus_and_their_memory_are_told():
    found = driver(nvidia.T4, nvidia.H100)
    checks = gpu_checks.check(found, '', 20 * 2**30)
    assert [c.subject for c in checks] == ['driver', 'GPU 0', 'GPU 1']
    assert 'compute capability 7.5' in checks[1].text
    assert 'at least 20.0 GiB' in checks[1].text and checks[1].do
    assert not checks[2].do and '79.6 GiB' in checks[2].text


@pytest.mark.parametrize('gpu, told', [
    (('GTX 1080', 6, 1, 8192), []),
    (nvidia.T4, ['float16']),
    (nvidia.A100, ['float16', 'bfloat16', 'TF32']),
    (nvidia.RTX_4090, ['float16', 'bfloat16', 'TF32']),
    (nvidia.H100, ['float16', 'bfloat16', 'TF32']),
    (nvidia.B200, ['float16', 'bfloat16', 'TF32']),
], ids=lambda x: x[0] if x else 'none')  # fmt: skip
def test_what_a_gpu_computes_in_is_told(monkeypatch, gpu, told):
    monkeypatch.delenv('NVIDIA_TF32_OVERRIDE', raising=False)
    _, check = gpu_checks.check(driver(gpu), '', 0)
    assert check.facts['number_types'] == told
    words = f'capability {gpu[1]}.{gpu[2]}'
    words += f', with {", ".join(told)}, ' if told else ', '
    assert words in check.text
    monkeypatch.setenv('NVIDIA_TF32_OVERRIDE', '0')
    _, check = gpu_checks.check(driver(gpu), '', 0)
    assert check.facts['number_types'] == [t for t in told if t != 'TF32']


@pytest.mark.parametrize('devices, told', [
    ({'0000:01:00.0': ('0x10de', '0x030000')}, True),
    ({'0000:01:00.0': ('0x10de', '0x040300')}, False),  # Its sound
    ({'0000:01:00.0': ('0x1002', '0x030000')}, False),
    ({}, False),
])  # fmt: skip
def test_a_gpu_without_a_driver_is_seen(tmp_path, devices, told):
    for name, (vendor, kind) in devices.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / 'vendor').write_text(vendor + '\n')
        (tmp_path / name / 'class').write_text(kind + '\n')
    assert gpu_checks.has_nvidia_device(str(tmp_path)) is told


def test_a_driver_that_does_not_answer():
    (check,) = gpu_checks.check(None, 'Driver Not Loaded', 0)
    assert 'Driver Not Loaded' in check.text and '--gpus all' in check.do
