"""Files that name hosts, good and bad."""

import os
import socket

import pytest

from d2l_vgg.launch import hosts
from d2l_vgg.launch.hosts import Host


def read(tmp_path, text, num_workers):
    path = tmp_path / 'hosts'
    path.write_text(text)
    return hosts.read(str(path), num_workers)


def test_a_host_a_line(tmp_path):
    text = '# two machines\ngpu1 4\n\n10.0.0.2   # one device\n'
    assert read(tmp_path, text, 5) == [Host('gpu1', 4), Host('10.0.0.2', 1)]


@pytest.mark.parametrize(
    ('text', 'told'),
    [
        ('gpu1 four', "Line 1 .* is 'gpu1 four'"),
        ('gpu1 0', 'Line 1'),
        ('gpu1\ngpu2 1 2', "Line 2 .* is 'gpu2 1 2'"),
        ('gpu1 ' + '9' * 5000, 'Line 1'),
        ('-oProxyCommand=x', 'Line 1'),  # ssh would take it for an option
        ('$(x) 2', 'Line 1'),
        ('a;b', 'Line 1'),
        ('me@gpu1', 'Line 1'),
        ('a' * 254, 'Line 1'),
        ('gpu1\ngpu1', 'names gpu1 twice'),
        ('localhost\ngpu1', 'names localhost, which is another machine'),
        ('127.0.1.1\ngpu1', 'names 127.0.1.1, which is another machine'),
        ('gpu1 3', '--workers is 2, .* have 3'),
        ('', '--workers is 2, .* have 0'),
    ],
)
def test_what_is_no_list_of_hosts(tmp_path, text, told):
    with pytest.raises(ValueError, match=told):
        read(tmp_path, text, 2)


def test_as_windows_writes_it(tmp_path):
    text = '\ufeffgpu1 1\r\ngpu2 1\r\n'
    assert read(tmp_path, text, 2) == [Host('gpu1', 1), Host('gpu2', 1)]


def test_what_is_no_text(tmp_path):
    path = tmp_path / 'hosts'
    path.write_bytes(bytes(range(256)))
    with pytest.raises(ValueError, match='Line 1 .* must be a host'):
        hosts.read(str(path), 2)


def test_a_pipe_is_not_waited_for(tmp_path):
    path = tmp_path / 'hosts'
    os.mkfifo(path)
    with pytest.raises(OSError, match='pipe'):
        hosts.read(str(path), 2)


def test_too_many_for_this_machine(tmp_path):
    told = '5000 workers are too many for this machine'
    with pytest.raises(ValueError, match=told):
        hosts.here(5000)
    with pytest.raises(ValueError, match=told):
        read(tmp_path, f'gpu1 2\n{socket.gethostname()} 5000', 5002)
    assert len(read(tmp_path, 'gpu1 5000', 5000)) == 1


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        hosts.read(str(tmp_path / 'none'), 2)


def test_this_machine(monkeypatch):
    assert all(host.is_here for host in hosts.here(3))
    assert Host('127.0.0.1', 1).is_here
    assert not Host('host.invalid', 1).is_here
    assert not Host('gpu1', 1).is_here
    monkeypatch.setattr('socket.gethostname', lambda: 'gpu1')
    assert Host('gpu1', 1).is_here
