"""Files are written whole or not at all, whatever happens on the way."""

import errno
import os
import signal
import subprocess
import sys

import pytest
import study
from processes import run_python

from d2l_vgg import files
from d2l_vgg.datasets import idx, pictures
from d2l_vgg.training import arrays, checkpoint
from d2l_vgg.training.history import History
from d2l_vgg.training.runs import Run

OLD, NEW = b'old content', b'new content, which is longer'


def leftovers(folder):
    return [name for name in os.listdir(folder) if name.endswith('.tmp')]


def test_cache_folder_is_the_users_or_none(monkeypatch, tmp_path):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    folder = files.cache_folder('jax')
    assert folder == str(tmp_path / 'd2l_vgg' / 'jax')
    assert os.path.isdir(folder)
    monkeypatch.delenv('XDG_CACHE_HOME')
    monkeypatch.setenv('HOME', str(tmp_path))
    assert files.cache_folder('jax').startswith(str(tmp_path / '.cache'))
    for home in '/dev/null', '/proc/nowhere':  # No folder can be made there
        monkeypatch.setenv('HOME', home)
        assert files.cache_folder('jax') is None


@pytest.mark.skipif(os.name != 'posix', reason='needs POSIX permissions')
def test_others_may_read_what_the_mask_allows(tmp_path):
    code = (
        'import os; os.umask(0o027)\n'
        'from d2l_vgg.files import write_text\n'
        f'write_text({str(tmp_path / "file")!r}, "text")\n'
        'print(oct(os.umask(0)))\n'
    )
    # The mask is as it was, too
    assert run_python(code) == '0o27'
    assert (tmp_path / 'file').stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize('error', [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize('before', [OLD, None])
def test_exception_in_write_leaves_what_was_there(tmp_path, error, before):
    path = tmp_path / 'file'
    if before:
        path.write_bytes(before)

    def write(file):
        file.write(NEW * 10000)
        raise error('in the middle')

    with pytest.raises(error, match='in the middle'):
        files.write_whole(path, write)
    assert os.listdir(tmp_path) == (['file'] if before else [])
    if before:
        assert path.read_bytes() == before


@pytest.mark.skipif(os.name != 'posix', reason='needs SIGKILL')
def test_kill_in_the_middle_of_a_write(tmp_path):
    path = tmp_path / 'file'
    path.write_bytes(OLD)
    code = (
        'import sys, time\n'
        'from d2l_vgg.files import write_whole\n'
        'def write(file):\n'
        '    file.write(b"half")\n'
        '    file.flush()\n'
        '    print("half is written", flush=True)\n'
        '    time.sleep(600)\n'
        'write_whole(sys.argv[1], write)\n'
    )
    process = subprocess.Popen(
        [sys.executable, '-c', code, str(path)], stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout.readline() == b'half is written\n'
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert path.read_bytes() == OLD
    # What the killed process could not clear away is in nobody's way
    assert len(leftovers(tmp_path)) == 1
    files.write_whole(path, lambda file: file.write(NEW))
    assert path.read_bytes() == NEW
    # And a run removes it, but nothing of its user's
    (tmp_path / 'notes.tmp').write_bytes(OLD)
    (tmp_path / 'x.tmp').mkdir()
    Run(tmp_path, {}).remove_unfinished_files()
    assert sorted(leftovers(tmp_path)) == ['notes.tmp', 'x.tmp']


def test_name_may_be_as_long_as_the_system_takes(tmp_path):
    files.write_text(tmp_path / ('a' * 255), 'text')
    assert os.listdir(tmp_path) == ['a' * 255]


@pytest.mark.parametrize(
    'number, written',
    [(errno.EINVAL, True), (errno.ENOTSUP, True), (errno.EIO, False)],
)
def test_only_file_system_that_knows_fsync_may_refuse_it(
    tmp_path, monkeypatch, number, written
):
    def refuse(handle):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, 'fsync', refuse)
    if written:
        files.write_text(tmp_path / 'file', 'text')
    else:
        with pytest.raises(OSError, match=os.strerror(number)):
            files.write_text(tmp_path / 'file', 'text')
    assert os.listdir(tmp_path) == (['file'] if written else [])


# What reads a file that a user names, or that stands in a folder of his
READERS = {
    'anything': files.open_regular,
    'run.json': lambda path: Run.open(os.path.dirname(path)),
    'history.csv': History.from_csv,
    'parameters.safetensors': arrays.load,
    'checkpoint.safetensors': checkpoint.load,
    'study.csv': study.read,
    'shoe.png': pictures.read,
    'images-idx3-ubyte': lambda path: idx.read(path, 3),
}


def failing(path):
    if not os.path.exists('/proc/self/mem'):
        pytest.skip('needs Linux')
    os.symlink('/proc/self/mem', path)  # At whose begin nothing can be read


@pytest.mark.parametrize('name', READERS)
@pytest.mark.parametrize(
    'make, told',
    [(os.mkfifo, 'is a pipe or a device'), (failing, 'Input/output error')],
)
def test_what_cannot_be_read_is_told_at_once(tmp_path, name, make, told):
    path = str(tmp_path / name)
    make(path)
    with pytest.raises(OSError, match=told) as found:
        READERS[name](path)
    assert found.value.filename == path


def test_file_behind_a_link_is_read_a_folder_is_not(tmp_path):
    (tmp_path / 'file').write_bytes(OLD)
    (tmp_path / 'link').symlink_to('file')
    with files.open_regular(tmp_path / 'link') as file:
        assert file.read() == OLD
    with pytest.raises(IsADirectoryError):
        files.open_regular(tmp_path)
