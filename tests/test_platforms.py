"""Where MXNet can be had, and the one line that is told where it cannot."""

import fnmatch
import subprocess
import sys

import pytest

from d2l_vgg import platforms


@pytest.mark.parametrize(
    'system, machine, mxnet, others',
    [
        ('Linux', 'x86_64', None, None),
        ('Linux', 'aarch64', None, None),
        (
            'Linux',
            'riscv64',
            'MXNet (MXNET=cpu) has no build for Linux on riscv64',
            'no build',
        ),
        ('Darwin', 'arm64', 'make run FRAMEWORK=torch', None),
        ('Darwin', 'x86_64', None, 'Darwin on x86_64: use a Linux'),
        ('Windows', 'AMD64', 'WSL', "pip install -e '.[torch]'"),
        ('MSYS_NT-10.0-22631', 'x86_64', 'WSL', 'wsl --install'),
        ('FreeBSD', 'x86_64', 'no build for FreeBSD', 'no build'),
    ],
)
def test_refusal_is_one_line_with_the_reason_and_a_way(
    system, machine, mxnet, others
):
    for line, told in (
        (platforms.refusal('mxnet', system, machine), mxnet),
        (platforms.refusal('jax', system, machine), others),
    ):
        if told is None:
            assert line is None
        else:
            assert told in line and '\n' not in line and line.endswith('.')


@pytest.mark.parametrize(
    'system, machine, asked, status, told',
    [
        ('Darwin', 'arm64', 'cpu torch mxnet', 1, 'use PyTorch (`make run'),
        ('Darwin', 'x86_64', 'cpu mxnet', 0, ''),
        ('Darwin', 'x86_64', 'cpu jax', 1, 'or MXNet 1.9.1 (`make run'),
        ('Linux', 'x86_64', 'cpu mxnet jax', 0, ''),
        ('Linux', 'x86_64', '2 mxnet', 0, ''),
        ('Darwin', 'x86_64', '2 mxnet', 0, ''),
        ('Darwin', 'arm64', '2 mxnet', 1, '`make run MXNET=FILE.whl`'),
        (
            'Linux',
            'aarch64',
            '2 mxnet',
            1,
            'MXNET=2) has no build for Linux on',
        ),
        ('Linux', 'aarch64', 'cu117 mxnet', 1, '`make run MXNET=cpu`'),
        ('Linux', 'aarch64', '2 torch', 0, ''),
        # What one brings may be for any machine
        ('Linux', 'riscv64', 'system mxnet', 0, ''),
    ],
)
def test_module_tells_by_its_status_what_can_be_had(
    system, machine, asked, status, told
):
    code = (
        'import platform, runpy\n'
        f'platform.system = lambda: {system!r}\n'
        f'platform.machine = lambda: {machine!r}\n'
        "runpy.run_module('d2l_vgg.platforms', run_name='__main__')"
    )
    wheel, *frameworks = asked.split()
    done = subprocess.run(
        [sys.executable, '-c', code, wheel, 'pins', *frameworks],
        capture_output=True,
        text=True,
    )
    lines = (done.stdout + done.stderr).splitlines()
    assert done.returncode == status
    assert bool(done.stderr) == (status == 1)
    assert len(lines) == bool(told)
    assert told in ''.join(lines)


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
