"""A wheel of MXNet that one brings is looked at before it is installed."""

import os
import subprocess
import sys
import zipfile

import pytest
from processes import ROOT

from d2l_vgg import wheels

pytest.importorskip('pip')

# As those of github.com/smolix/mxnet, but for every Python and machine
CUDA = 'mxnet-2.0.0+cu13.bw.20260614-py3-none-any.whl'
CPU = 'mxnet-2.0.0+cpu.linux.20260614-py3-none-any.whl'
NEEDS = (
    'numpy<2,>=1.17',
    'nvidia-cublas<14,>=13.5',
    'contextvars; python_version < "3.7"',
    'onnx<1.22; extra == "onnx"',
)


@pytest.fixture
def make(tmp_path):
    """Make a wheel that has nothing but an empty module and metadata."""

    def make(name, needs=NEEDS):
        version = name.split('-')[1]
        info = f'mxnet-{version}.dist-info'
        metadata = ['Metadata-Version: 2.1', 'Name: mxnet']
        metadata += [f'Version: {version}']
        metadata += [f'Requires-Dist: {need}' for need in needs]
        with zipfile.ZipFile(tmp_path / name, 'w') as archive:
            archive.writestr('mxnet/__init__.py', '')
            archive.writestr(f'{info}/METADATA', '\n'.join(metadata))
            archive.writestr(f'{info}/WHEEL', 'Wheel-Version: 1.0\n')
            archive.writestr(f'{info}/RECORD', 'mxnet/__init__.py,,\n')
            archive.writestr(f'{info}/top_level.txt', 'mxnet\n')
        return str(tmp_path / name)

    return make


@pytest.fixture
def refusal(tmp_path, monkeypatch):
    """What is told of a wheel where NumPy 1.26 is to come with it.

    `driver` is what `nvidia-smi` says of each of two GPUs, which is not there
    without it.
    """
    monkeypatch.setenv('PATH', str(tmp_path))
    (tmp_path / 'pins').write_text('requests==2.31.0\nnumpy==1.26.4\n')

    def ask(wheel, driver=''):
        command = tmp_path / 'nvidia-smi'
        command.write_text(f'#!/bin/sh\necho {driver}\necho {driver}\n')
        command.chmod(0o755 if driver else 0o644)
        return wheels.refusal(wheel, str(tmp_path / 'pins'))

    return ask


@pytest.mark.parametrize('name', [CUDA, CPU, 'mxnet-1.9.1-py3-none-any.whl'])
def test_wheel_that_can_work_is_not_refused(name, make, refusal):
    assert refusal(make(name)) is None
    assert refusal(make(name, [])) is None


@pytest.mark.parametrize(
    'name, told',
    [
        ('mxnet-2.0.0-cp27-cp27m-any.whl', 'is for cp27 on any, here is cp3'),
        ('mxnet-2.0.0-py3-none-macosx_99_0_arm64.whl', 'macosx_99_0_arm64'),
    ],
)
def test_wheel_for_another_python_or_machine_is_refused(
    name, told, make, refusal
):
    # By its name, which is all that is known of an address
    for wheel in make(name), f'https://there.org/{name}':
        assert told in refusal(wheel)


def test_what_is_no_wheel_is_refused(make, refusal, tmp_path):
    (tmp_path / CPU).write_text('<html>Not found</html>')
    (tmp_path / CUDA).mkdir()
    whole = (tmp_path / make('mxnet-2-py3-none-any.whl')).read_bytes()
    (tmp_path / 'a.whl').write_bytes(whole)
    damaged = whole.replace(b'Requires-Dist', b'Requires-Disc')
    (tmp_path / 'mxnet-3-py3-none-any.whl').write_bytes(damaged)
    for wheel in (
        '/nowhere/mxnet-2-py3-none-any.whl',
        'https://there.org/mxnet.whl',
        'https://there.org/torch-2.0.0-py3-none-any.whl',
        *(f'{tmp_path}/{name}' for name in (CPU, CUDA, 'a.whl')),
        f'{tmp_path}/mxnet-3-py3-none-any.whl',
        make('torch-2.0.0-py3-none-any.whl'),
        make('mxnet-2.0.1-py3-none-any.whl', ['!!! no requirement']),
        make(CPU.replace('+', '%2B')),
    ):
        assert 'is no wheel of MXNet: give the path' in refusal(wheel)


@pytest.mark.parametrize(
    'name, version, refused',
    [
        (CUDA, '580.95.05', True),
        (CUDA.replace('cu13.', 'cu133.'), '580.95.05', True),
        (CUDA, '590.48.01', False),
        (CUDA, 'NVIDIA-SMI has failed', False),  # Its library may be there
        (CUDA, r'$(printf "\\377")', False),
        (CPU, '580.95.05', False),
    ],
)
def test_wheel_for_cuda_13_is_refused_with_older_driver(
    name, version, refused, make, refusal
):
    address = f'https://there.org/{name.replace("+", "%2B")}'
    for wheel in make(name), address:
        line = refusal(wheel, driver=version)
        assert bool(line) == refused
        assert not refused or 'driver 590 or newer, here is 580' in line


@pytest.mark.parametrize(
    'numpy, refused',
    [
        ('numpy>=2', True),
        ('numpy>=1.26.4', False),
        # MXNet 1.9.1 and 2.0.0b1 say so, and are shown such a NumPy
        ('numpy<1.25', False),
        ('numpy>=2; python_version < "3"', False),
    ],
)
def test_wheel_is_refused_with_numpy_that_is_too_old_only(
    numpy, refused, make, refusal
):
    line = refusal(make(CPU, [numpy]))
    assert bool(line) == refused
    assert not refused or 'takes numpy>=2, with this Python comes 1.2' in line


def test_needs_of_installed_wheel_are_told_without_numpy(make, tmp_path):
    pip = [sys.executable, '-m', 'pip', 'install', '--quiet', '--no-deps']
    subprocess.run([*pip, f'--target={tmp_path}', make(CUDA)], check=True)
    told = subprocess.run(
        [sys.executable, '-m', 'd2l_vgg.wheels'],
        env={**os.environ, 'PYTHONPATH': f'{tmp_path}:{ROOT}'},
        capture_output=True,
        text=True,
    )
    assert told.stdout.split() == ['nvidia-cublas<14,>=13.5'], told.stderr
