"""Where MXNet can be had, and the one line that is told where it cannot."""

import fnmatch
import subprocess
import sys

import pytest

from d2l_vgg import platforms

ARM = 'Linux', 'aarch64'


@pytest.mark.parametrize(
    'system, machine, framework, wheel, told',
    [
        ('Linux', 'x86_64', 'mxnet', 'cpu', None),
        ('Linux', 'x86_64', 'mxnet', '2', None),
        ('Linux', 'x86_64', 'jax', 'cpu', None),
        (*ARM, 'mxnet', 'cpu', None),
        (*ARM, 'mxnet', '2', 'MXNET=2) has no build for Linux on'),
        (*ARM, 'mxnet', 'cu117', '`make run MXNET=cpu`'),
        (*ARM, 'jax', '2', None),
        ('Linux', 'riscv64', 'mxnet', 'cpu', 'cpu) has no build for Linux'),
        ('Linux', 'riscv64', 'jax', 'cpu', 'no build'),
        ('Darwin', 'arm64', 'mxnet', 'cpu', 'PyTorch (`make run FRAMEWORK='),
        ('Darwin', 'arm64', 'mxnet', '2', '`make run MXNET=FILE.whl`'),
        ('Darwin', 'arm64', 'jax', 'cpu', None),
        ('Darwin', 'x86_64', 'mxnet', 'cpu', None),
        ('Darwin', 'x86_64', 'mxnet', '2', None),
        ('Darwin', 'x86_64', 'jax', 'cpu', 'or MXNet 1.9.1 (`make run'),
        ('Windows', 'AMD64', 'mxnet', 'cpu', 'WSL'),
        ('Windows', 'AMD64', 'jax', 'cpu', "pip install -e '.[torch]'"),
        ('MSYS_NT-10.0-22631', 'x86_64', 'mxnet', 'cpu', 'wsl --install'),
        ('FreeBSD', 'x86_64', 'mxnet', 'cpu', 'no build for FreeBSD'),
    ],
)
def test_refusal_is_one_line_with_the_reason_and_a_way(
    system, machine, framework, wheel, told
):
    line = platforms.refusal(framework, system, machine, wheel)
    if told is None:
        assert line is None
    else:
        assert told in line and '\n' not in line and line.endswith('.')


@pytest.mark.parametrize(
    'machine, asked, told',
    [
        ('x86_64', 'cpu mxnet jax', ''),
        ('riscv64', 'cpu torch mxnet', 'setup: PyTorch, TensorFlow and JAX'),
        # What one brings may be for any machine
        ('riscv64', 'system mxnet', ''),
    ],
)
def test_module_tells_by_its_status_what_can_be_had(machine, asked, told):
    code = (
        'import platform, runpy\n'
        "platform.system = lambda: 'Linux'\n"
        f'platform.machine = lambda: {machine!r}\n'
        "runpy.run_module('d2l_vgg.platforms', run_name='__main__')"
    )
    wheel, *frameworks = asked.split()
    done = subprocess.run(
        [sys.executable, '-c', code, wheel, 'pins', *frameworks],
        capture_output=True,
        text=True,
    )
    assert done.returncode == bool(told) and done.stdout == ''
    assert done.stderr.startswith(told)
    assert done.stderr.count('\n') == bool(told)


@pytest.mark.parametrize('libc', ['musl', 'linux'])
def test_mxnet_is_refused_where_the_loader_is_that_of_musl(monkeypatch, libc):
    found = [f'/lib/ld-{libc}-aarch64.so.1']
    monkeypatch.setattr(
        platforms.glob, 'glob', lambda p: fnmatch.filter(found, p)
    )
    for framework in 'mxnet', 'torch':
        for machine in 'x86_64', 'aarch64':
            line = platforms.refusal(framework, 'Linux', machine)
            assert ('Alpine' in line) if libc == 'musl' else line is None


@pytest.mark.parametrize(
    'error, expected',
    [
        ('libodd.so.9: cannot open', 'named there'),
        ('libgomp.so.1: cannot open shared object', 'apt install libgomp1`'),
        ('libcuda.so.1: cannot open shared object file', 'NVIDIA driver'),
        ('libcublas.so.11: cannot open shared object', 'install the CUDA 11'),
        ('libnccl.so.2: cannot open shared object file', '[cuda-11]'),
        ('libcublas.so.13: cannot open shared object', 'install CUDA 13'),
    ],
)
def test_missing_library_is_told_with_what_brings_it(error, expected):
    assert expected in platforms.advice(error)
