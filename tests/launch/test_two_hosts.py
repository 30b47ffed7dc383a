"""Two hosts, as two networks of this machine, joined by a cable."""

import os
import shutil
import socket
import subprocess

import pytest
from command_line import TINY, run
from processes import ROOT

from d2l_vgg.training.runs import Run

# Which network is entered is told by the address, as ssh would find it
SSH = """#!/bin/sh
for last; do host=$line; line=$last; done
exec ip netns exec d2l-$host sh -c "$last"
"""
HOSTS = ('10.213.97.1', '10.213.97.2')


def ip(*words):
    subprocess.run(['ip', *words], check=True, capture_output=True)


@pytest.fixture
def two_hosts(tmp_path, framework):
    """Make the two, and return a file that names them; then remove them."""
    if os.geteuid() != 0 or not shutil.which('ip'):
        pytest.skip('only root can make networks, with the command ip')
    made = []
    try:
        for host in HOSTS:
            try:
                ip('netns', 'add', f'd2l-{host}')
            except subprocess.CalledProcessError as error:
                pytest.skip(f'no networks here: {error.stderr!r}')
            made.append(host)
            ip('-n', f'd2l-{host}', 'link', 'set', 'lo', 'up')
            if framework != 'jax':
                continue
            # A host's own name leads to its address, as JAX asks for
            folder = f'/etc/netns/d2l-{host}'
            os.makedirs(folder)
            with open(f'{folder}/hosts', 'w', encoding='utf-8') as file:
                file.write(f'{host} {socket.gethostname()}\n')
        one, other = (f'd2l-{host}' for host in HOSTS)
        ip(
            *('-n', one, 'link', 'add', 'cable', 'type', 'veth'),
            *('peer', 'name', 'cable', 'netns', other),
        )
        for host in HOSTS:
            within = ('-n', f'd2l-{host}')
            ip(*within, 'address', 'add', f'{host}/24', 'dev', 'cable')
            ip(*within, 'link', 'set', 'cable', 'up')
        path = tmp_path / 'hosts'
        path.write_text(f'{HOSTS[0]} 1\n{HOSTS[1]} 2\n')
        ssh = tmp_path / 'ssh'
        ssh.write_text(SSH)
        ssh.chmod(0o755)
        yield path
    finally:
        for host in made:
            ip('netns', 'delete', f'd2l-{host}')
            shutil.rmtree(f'/etc/netns/d2l-{host}', ignore_errors=True)


@pytest.mark.slow
def test_two_hosts_train_together(tmp_path, two_hosts, framework):
    result = run(
        *('launch', '--workers', '3', '--hosts', two_hosts, '--'),
        *('train', '--framework', framework, *TINY, '--name', 'a'),
        cwd=tmp_path,
        env={
            'PATH': f'{tmp_path}{os.pathsep}{os.environ["PATH"]}',
            'PYTHONPATH': ROOT,
        },
    )
    assert result.returncode == 0, result.stderr
    found = Run.open(tmp_path / 'runs' / 'a')
    assert found.info['status'] == 'finished'
    losses = [loss for _, loss in found.history().points['train_loss']]
    assert losses[-1] < losses[0]
