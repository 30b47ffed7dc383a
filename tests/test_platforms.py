"""Where MXNet can be had, and the one line that is told where it cannot."""

import fnmatch
import re
import subprocess
import sys

import pytest

from d2l_vgg import platforms


@pytest.mark.parametrize(
    'system, machine, mxnet, others',
    [
        ('Linux', 'x86_64', None, None),
        ('Linux', 'aarch64', None, None),
        ('Linux', 'riscv64', 'no build for Linux on riscv64', 'no builds'),
        ('Darwin', 'arm64', 'make run FRAMEWORK=torch', None),
        ('Darwin', 'x86_64', None, 'Darwin on x86_64: use a Linux'),
        ('Windows', 'AMD64', 'WSL', "pip install -e '.[torch]'"),
        ('MSYS_NT-10.0-22631', 'x86_64', 'WSL', 'wsl --install'),
        ('FreeBSD', 'x86_64', 'no build for FreeBSD', 'no builds'),
    ],
)
def test_refusal_is_one_line_with_the_reason_and_a_way(
    system, machine, mxnet, others
):
    for line, told in (
        (platforms.refusal(system, machine), mxnet),
        (platforms.refusal_of_others(system, machine), others),
    ):
        if told is None:
            assert line is None
        else:
            assert told in line and '\n' not in line and line.endswith('.')


@pytest.mark.parametrize(
    'system, machine, asked, status, told',
    [
        ('Darwin', 'arm64', ['torch', 'mxnet'], 1, 'use PyTorch (`make run'),
        ('Darwin', 'x86_64', ['mxnet'], 0, 'MXNet 1.9.1 has a build'),
        ('Darwin', 'x86_64', ['jax'], 1, 'or MXNet.'),
        ('Linux', 'x86_64', ['mxnet', 'jax'], 0, ''),
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
    done = subprocess.run(
        [sys.executable, '-c', code, *asked], capture_output=True, text=True
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
    for refusal in platforms.refusal, platforms.refusal_of_others:
        for machine in ('x86_64', 'aarch64'):
            line = refusal('Linux', machine)
            assert ('Alpine' in line) if libc == 'musl' else line is None


def test_systems_are_known_by_their_family():
    for os_release, family in [
        ('NAME="Debian GNU/Linux"\nID=debian\n', 'debian'),
        ('ID=ubuntu\nID_LIKE=debian\n', 'debian'),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', 'fedora'),
        ('\n# a comment\nID="opensuse-leap"\n', 'suse'),
        ("ID='manjaro'\nID_LIKE='arch'\n", 'arch'),
        ('ID=nixos\n# no = here\n', None),
        ('', None),
    ]:
        assert platforms.family_of(os_release) == family


def test_missing_library_is_named_by_its_package(monkeypatch):
    for family in platforms.INSTALL:
        release = f'ID={family}\n'
        monkeypatch.setattr(platforms, '_os_release', lambda r=release: r)
        for library, packages in platforms.PACKAGES.items():
            line = platforms.advice(f'{library}: cannot open shared object')
            command, package = re.fullmatch(
                r'run `(.+) (\S+)`', line
            ).groups()
            assert command == platforms.INSTALL[family]
            assert package == packages[family]


@pytest.mark.parametrize(
    'error, expected',
    [
        ('libodd.so.9: cannot open', 'named there'),
        ('libcuda.so.1: cannot open shared object file', 'NVIDIA driver'),
        ('libcublas.so.11: cannot open shared object', 'install the CUDA 11'),
        ('libnccl.so.2: cannot open shared object file', '[cuda-11]'),
    ],
)
def test_missing_library_of_a_gpu_wheel_is_told_with_what_brings_it(
    error, expected
):
    assert expected in platforms.advice(error)
