"""What is said of PyTorch, TensorFlow and JAX."""

import pytest

from d2l_vgg.doctor import checks, framework_checks
from d2l_vgg.doctor.probing import Outcome
from d2l_vgg.nvml import Driver, Gpu

VERSIONS = {'python': '3.11.7', 'numpy': '2.4.6', 'torch': '2.13.0+cpu'}
CPU = Outcome({'imports': True, 'on_cpu': 2.3}, '')
DRIVER = Driver(
    '580.82.07', (13, 0), (Gpu('NVIDIA B200', (10, 0), 2**37, 2**37),)
)


@pytest.fixture(autouse=True)
def without_make(monkeypatch):
    monkeypatch.setattr(checks, 'make', lambda *words: None)


def check(outcome, driver=None):
    return framework_checks.check('torch', VERSIONS, outcome, driver)


def test_one_that_trains():
    found = check(CPU)
    assert found.text == 'torch 2.13.0+cpu: trains on the CPU'
    assert not found.do
    told = {**CPU.facts, 'sees_gpu': True, 'on_gpu': 2.3}
    found = check(Outcome(told, ''), DRIVER)
    assert 'trains on CPU and GPU' in found.text and not found.do


def test_one_that_sees_no_gpu_though_there_is_one(monkeypatch):
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
    found = check(CPU, DRIVER)
    assert 'sees no GPU' in found.text
    gone, come = found.commands
    assert 'uninstall' in gone and 'torch' in gone and 'torch>=' in come
    # Unless that was asked for
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '-1')
    assert not check(CPU, DRIVER).do


def test_one_that_fails_on_the_gpu():
    told = {**CPU.facts, 'sees_gpu': True}
    found = check(Outcome(told, 'no kernel image is available'), DRIVER)
    assert 'no kernel image' in found.text and '--num-gpus 0' in found.do


@pytest.mark.parametrize('outcome, how', [
    (Outcome({}, 'it crashed by SIGSEGV'), 'no import: it crashed'),
    (Outcome({'imports': True}, 'it crashed by SIGILL'), 'no training: it'),
])  # fmt: skip
def test_one_that_does_not_work(outcome, how):
    found = check(outcome)
    assert how in found.text
    assert 'uninstall' in found.commands[0] and '[torch]' in found.commands[1]


def test_none_at_all(monkeypatch):
    found = framework_checks.check_none()
    assert found.do and any('torch' in c for c in found.commands)
    monkeypatch.setattr(framework_checks, 'refusal', lambda: 'MXNet no.')
    found = framework_checks.check_none()
    assert found.commands[0] == '# PyTorch'
    monkeypatch.setattr(
        framework_checks, 'refusal_of_others', lambda: 'Nor others.'
    )
    assert framework_checks.check_none().do == 'MXNet no.'
