"""Machines without the files and without a network, and mirrors."""

import socket

import pytest
from mirrors import Mirror


@pytest.fixture
def mirror(monkeypatch):
    """A function that starts a `Mirror`; all are closed at the end."""
    monkeypatch.setenv('no_proxy', '*')
    started = []

    def start(**kwargs):
        started.append(Mirror(**kwargs))
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """A machine without the files: empty home and working folder."""
    names = ('D2L_VGG_DATA', 'MXNET_HOME', 'KERAS_HOME', 'XDG_CACHE_HOME')
    for name in names:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv('HOME', str(tmp_path / 'home'))
    (tmp_path / 'home').mkdir()
    (tmp_path / 'work' / 'here').mkdir(parents=True)
    monkeypatch.chdir(tmp_path / 'work' / 'here')
    return tmp_path


@pytest.fixture
def dead_address(monkeypatch):
    """An address at which nobody listens."""
    monkeypatch.setenv('no_proxy', '*')
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    return f'http://127.0.0.1:{port}/'
