"""Where MXNet can be had, and the one line that is told where it cannot."""

import fnmatch
import platform
import re
import runpy
import subprocess
import sys

import pytest

from d2l_vgg import cuda, platforms


@pytest.mark.parametrize(
    'system, machine, why, way',
    [
        ('Darwin', 'arm64', 'Apple silicon', 'make run FRAMEWORK=torch'),
        ('Windows', 'AMD64', 'WSL', "install -e '.[torch]'"),
        ('MINGW64_NT-10.0', 'x86_64', 'WSL', "install -e '.[torch]'"),
        ('Linux', 'riscv64', 'no build for Linux on riscv64', 'x86-64'),
        ('Linux', 'i686', 'no build for Linux on i686', 'x86-64'),
        ('FreeBSD', 'x86_64', 'no build for FreeBSD', 'a Linux machine'),
    ],
)
def test_elsewhere_one_line_names_the_reason_and_a_way(
    system, machine, why, way
):
    line = platforms.refusal(system, machine)
    assert why in line and '\n' not in line and line.endswith('.')
    assert way in line


@pytest.mark.parametrize(
    'system, machine, told',
    [
        ('Linux', 'x86_64', None),
        ('Linux', 'aarch64', None),
        ('Darwin', 'arm64', None),
        ('Darwin', 'x86_64', 'no builds for Darwin on x86_64: use a Linux'),
        ('Linux', 'riscv64', 'no builds for Linux on riscv64'),
        ('Windows', 'AMD64', "pip install -e '.[torch]'"),
        ('MSYS_NT-10.0-22631', 'x86_64', 'wsl --install'),
    ],
)
def test_where_the_other_frameworks_can_be_had(system, machine, told):
    line = platforms.refusal_of_others(system, machine)
    if told is None:
        assert line is None
    else:
        assert told in line and '\n' not in line and line.endswith('.')
        # MXNet is named where it can be had, and only there
        mxnet = platforms.refusal(system, machine) is None
        assert ('MXNet' in line) == mxnet


@pytest.mark.parametrize(
    'system, machine, asked, status, told',
    [
        ('Darwin', 'arm64', [], platforms.TORCH_INSTEAD, 'PyTorch is used'),
        ('Darwin', 'arm64', ['mxnet'], 1, 'use PyTorch (`make run'),
        ('Darwin', 'arm64', ['torch'], 0, ''),
        ('Darwin', 'x86_64', ['jax'], 1, 'or MXNet.'),
        ('Windows', 'AMD64', [], 1, 'wsl --install'),
        ('Linux', 'riscv64', [], 1, 'no build for Linux on riscv64'),
        ('Linux', 'x86_64', [], 0, ''),
    ],
)
def test_module_tells_by_its_status_what_is_to_be_used(
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
    assert len(lines) == bool(told)
    assert told in ''.join(lines)
    assert all(line.startswith('setup: ') for line in lines)


@pytest.mark.parametrize('musl', [False, True])
def test_where_mxnet_can_be_had(monkeypatch, musl):
    found = ['/lib/ld-musl-x86_64.so.1'] if musl else []
    monkeypatch.setattr(platforms.glob, 'glob', lambda pattern: found)
    for machine in ('x86_64', 'aarch64'):
        line = platforms.refusal('Linux', machine)
        assert ('Alpine' in line) if musl else line is None
    # Where it is built for but was not tested, that is said
    assert platforms.refusal('Darwin', 'x86_64') is None
    assert 'not tested' in platforms.remark('Darwin', 'x86_64')
    assert 'emulation' in platforms.remark('Linux', 'aarch64')
    assert platforms.remark('Linux', 'x86_64') is None


@pytest.mark.parametrize('system', ['Windows', 'Linux'])
def test_module_refuses_by_its_exit_status(system):
    code = (
        'import platform, runpy\n'
        f'platform.system = lambda: {system!r}\n'
        "runpy.run_module('d2l_vgg.platforms', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True
    )
    assert done.returncode == (system == 'Windows')
    assert done.stdout == ''
    lines = done.stderr.splitlines()
    assert len(lines) == (system == 'Windows')
    assert all(line.startswith('setup: MXNet has had no') for line in lines)


@pytest.mark.parametrize(
    'os_release, family',
    [
        ('NAME="Debian GNU/Linux"\nID=debian\n', 'debian'),
        ('ID=ubuntu\nID_LIKE=debian\n', 'debian'),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"\n', 'debian'),
        ('ID=fedora\n', 'fedora'),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', 'fedora'),
        ('ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', 'suse'),
        ('ID=arch\n', 'arch'),
        ("ID='manjaro'\nID_LIKE='arch'\n", 'arch'),
        ('ID=nixos\n# no = here\n', None),
        ('', None),
    ],
)
def test_systems_are_known_by_their_family(os_release, family):
    assert platforms.family_of(os_release) == family


@pytest.mark.parametrize('family', list(platforms.INSTALL))
@pytest.mark.parametrize('library', list(platforms.PACKAGES))
def test_missing_library_is_named_by_its_package(
    monkeypatch, family, library
):
    monkeypatch.setattr(platforms, '_os_release', lambda: f'ID={family}\n')
    line = platforms.advice(f'{library}: cannot open shared object file')
    command, package = re.fullmatch(r'run `(.+) (\S+)`', line).groups()
    assert command == platforms.INSTALL[family]
    assert package == platforms.PACKAGES[library][family]


def test_missing_library_on_a_system_that_is_not_known(monkeypatch):
    monkeypatch.setattr(platforms, '_os_release', lambda: '')
    line = platforms.advice('libgomp.so.1: cannot open shared object file')
    assert line == 'install the package of your system that has libgomp.so.1'
    assert 'named there' in platforms.advice('libodd.so.9: cannot open')


@pytest.mark.parametrize(
    'error, expected',
    [
        ('libcuda.so.1: cannot open shared object file', 'NVIDIA driver'),
        ('libcublas.so.11: cannot open shared object', 'install the CUDA 11'),
        ('libnccl.so.2: cannot open shared object file', '[cuda-11]'),
    ],
)
def test_missing_libraries_of_a_gpu_wheel(error, expected):
    assert expected in platforms.advice(error)
    assert all(name in str(cuda.LIBRARIES) for name in ('libcublas', 'nccl'))


@pytest.mark.parametrize('system', ['MSYS_NT-10.0-22631', 'CYGWIN_NT-10.0'])
def test_shells_of_windows(system):
    assert 'WSL' in platforms.refusal(system, 'x86_64')


def test_musl_is_known_by_its_loader(monkeypatch):
    monkeypatch.setattr(
        platforms.glob,
        'glob',
        lambda p: fnmatch.filter(['/lib/ld-musl-aarch64.so.1'], p),
    )
    assert 'Alpine' in platforms.refusal('Linux', 'aarch64')
    assert 'Alpine' in platforms.refusal_of_others('Linux', 'aarch64')
    monkeypatch.setattr(
        platforms.glob,
        'glob',
        lambda p: fnmatch.filter(['/lib/ld-linux-aarch64.so.1'], p),
    )
    assert platforms.refusal('Linux', 'aarch64') is None


def test_remark_is_printed(capsys):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(platform, 'system', lambda: 'Darwin')
        patch.setattr(platform, 'machine', lambda: 'x86_64')
        patch.setattr(sys, 'argv', ['platforms'])
        runpy.run_path(platforms.__file__, run_name='__main__')
    assert capsys.readouterr().out.startswith(
        'setup: MXNet 1.9.1 has a build'
    )


def no_file(*args, **kwargs):
    raise FileNotFoundError


def test_odd_systems(monkeypatch):
    assert 'CUDA 11' in platforms.advice('libcudart.so.11.0: cannot open')
    assert (
        platforms.family_of('\n# a comment\nID="opensuse-leap"\n') == 'suse'
    )
    monkeypatch.setattr('builtins.open', no_file)
    assert platforms._os_release() == ''
