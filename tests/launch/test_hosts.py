"""Files that name hosts, good and bad."""

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
        ('-oProxyCommand=x', 'Line 1'),
        ('gpu1\ngpu1', 'names gpu1 twice'),
        ('localhost\ngpu1', 'names localhost, which is another machine'),
        ('gpu1 3', '--workers is 2, .* have 3'),
        ('', '--workers is 2, .* have 0'),
    ],
)
def test_what_is_no_list_of_hosts(tmp_path, text, told):
    with pytest.raises(ValueError, match=told):
        read(tmp_path, text, 2)


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        hosts.read(str(tmp_path / 'none'), 2)


def test_this_machine(monkeypatch):
    assert all(host.is_here for host in hosts.here(3))
    assert not Host('gpu1', 1).is_here
    monkeypatch.setattr('socket.gethostname', lambda: 'gpu1')
    assert Host('gpu1', 1).is_here
