"""Errors in one line: of full disks, closed pipes, and MXNet."""

import os
import shutil
import subprocess
import sys

import pytest
from command_line import run_on_a_full_disk

from d2l_vgg import messages

BOOK = os.path.abspath(
    os.path.join(os.path.dirname(__file__), '../chapter/results/book')
)
COMMAND = [sys.executable, '-m', 'd2l_vgg']


def shell(line, **env):
    return subprocess.run(
        ['bash', '-c', line, 'bash', *COMMAND],
        capture_output=True,
        text=True,
        env={**os.environ, **env},
    )


@pytest.mark.parametrize('unbuffered', ['', '1'])
@pytest.mark.parametrize('words', ['summary vgg16', 'compare --markdown'])
def test_standard_output_that_is_full(words, unbuffered):
    done = shell(
        f'"$@" {words} >/dev/full',
        PYTHONUNBUFFERED=unbuffered,
    )
    assert done.returncode == 1
    first = done.stderr.splitlines()[0]
    assert first.startswith('d2l-vgg: Standard output cannot be used: No ')
    assert 'make room' in first and done.stderr.count('\n') == 1


@pytest.mark.parametrize('unbuffered', ['', '1'])
def test_a_reader_that_has_read_enough_is_no_error(unbuffered):
    done = shell(
        '"$@" compare | head -1; exec 3>&1; "$@" summary vgg19 | true',
        PYTHONUNBUFFERED=unbuffered,
    )
    assert done.stdout.startswith('network') and done.stderr == ''


@pytest.mark.parametrize('closed', ['>&-', '2>&-', '>&- 2>&-', '2>/dev/full'])
def test_streams_that_are_not_there(closed):
    assert shell(f'"$@" summary vgg16 {closed}').returncode == 0
    done = shell(f'"$@" summary vgg17 {closed}')
    # An error never goes where the result would
    assert (done.returncode, done.stdout) == (1, '')


@pytest.mark.skipif(
    not os.path.exists('/proc/self/mem'), reason='needs Linux'
)
def test_a_read_that_fails_is_not_told_of_standard_output(tmp_path):
    folder = shutil.copytree(BOOK, tmp_path / 'run')
    os.remove(folder / 'history.csv')
    # At whose begin nothing can be read
    (folder / 'history.csv').symlink_to('/proc/self/mem')
    done = shell(f'"$@" curves {folder}')
    assert (done.returncode, done.stdout) == (1, '')
    told = f'd2l-vgg: {folder}/history.csv cannot be used: Input/output error'
    assert done.stderr.startswith(told) and done.stderr.count('\n') == 1


def test_a_home_that_cannot_be_written_is_no_error(tmp_path):
    home = tmp_path / 'home'  # A file, where even the superuser has no folder
    home.write_text('')
    names = 'HOME', 'XDG_CONFIG_HOME', 'XDG_CACHE_HOME'
    env = {'MPLCONFIGDIR': '', **dict.fromkeys(names, str(home))}
    done = shell(f'"$@" curves {BOOK} --output {tmp_path}/curves', **env)
    assert (done.returncode, done.stderr) == (0, '')


def test_a_file_on_a_full_disk_is_named(tmp_path):
    path = tmp_path / 'picture.svg'
    path.write_text('before')
    words = 'curves', BOOK, '--output', 'picture'
    done = run_on_a_full_disk(*words, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(f'd2l-vgg: {path} cannot be used: File too')
    assert 'make room' in done.stderr and done.stderr.count('\n') == 1
    assert path.read_text() == 'before'
    assert os.listdir(tmp_path) == ['picture.svg']


def test_a_stack_of_mxnet_is_not_told():
    error = RuntimeError(
        'Traceback (most recent call last):\n  File "../src/a.cc", line 7\n'
        'MXNetError: Check failed: a < b (3 vs. 2) : too large\n'
    )
    assert messages.explain(error) == (
        'MXNetError: Check failed: a < b (3 vs. 2) : too large'
    )


@pytest.mark.parametrize(
    'text',
    [
        '',
        # PyTorch, MXNet, TensorFlow, JAX, and those of a GPU
        '[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator'
        ": can't allocate memory: you tried to allocate 140 bytes.",
        'Traceback (most recent call last):\n  File "storage.h", line 7\n'
        'MXNetError: Failed to allocate CPU Memory',
        '{{function_node __wrapped__Fill_device_}} OOM when allocating '
        'tensor with shape[35]\n\t [[{{node add}}]]\nHint: add a report',
        'RESOURCE_EXHAUSTED: Out of memory allocating 44 bytes.',
        'CUDA out of memory. Tried to allocate 20.00 GiB.',
    ],
)
def test_memory_that_a_library_cannot_have_is_told_in_one_sentence(text):
    error = RuntimeError(text) if text else MemoryError()
    assert messages.explain(error) == (
        'The memory is too small: take smaller images or minibatches.'
    )
