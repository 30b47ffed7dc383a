"""What cannot be launched, or cannot go on, is told in one line."""

import os
import shutil
import socket
import time

import pytest
from command_line import TINY, assert_fails, call, run, start, wait_for
from processes import ROOT
from workers import children, pid_of, state

from d2l_vgg.training.runs import Run

LAUNCH = ('launch', '--workers', '2')
# Stands for ssh to a machine that has the same files but other packages
SSH = """#!/bin/sh
for last; do :; done
exec sh -c "$(echo "$last" | sed 's|PYTHONPATH=|&{other}:|')"
"""


@pytest.fixture
def train(any_framework):
    return ['--', 'train', '--framework', any_framework, *TINY, '--name', 'a']


@pytest.mark.parametrize(
    ('words', 'told'),
    [
        (['--', 'predict'], 'Workers can only train, not predict'),
        ([], 'not nothing'),
        (['--', 'train', '--resume', 'none'], 'No run in none'),
    ],
)
def test_what_is_no_training_of_several(tmp_path, monkeypatch, words, told):
    monkeypatch.chdir(tmp_path)
    assert_fails(call(*LAUNCH, *words), told)
    assert os.listdir(tmp_path) == []


def test_a_wrong_option_of_the_training(tmp_path):
    result = call(*LAUNCH, '--', 'train', '--speed', '2')
    assert result.returncode == 2 and '--speed' in result.stderr
    result = run(*LAUNCH, '--', 'train', '--lr', '-1', cwd=tmp_path)
    assert_fails(result, 'lr is -1.0')
    assert result.stderr.count('lr is -1.0') == 1
    assert os.listdir(tmp_path) == []


def test_an_address_that_is_taken(tmp_path, train):
    with socket.create_server(('127.0.0.1', 0)) as server:
        port = server.getsockname()[1]
        result = run(*LAUNCH, '--port', port, *train, cwd=tmp_path)
    assert result.returncode == 1
    assert f'cannot meet at 127.0.0.1, port {port}' in result.stderr
    assert 'choose another with --port' in result.stderr
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not shutil.which('ssh'), reason='there is no ssh')
def test_a_host_that_is_not_there(tmp_path, train):
    hosts = tmp_path / 'hosts'
    name = 'host.invalid'  # Of which RFC 2606 says that it never is
    hosts.write_text(f'{socket.gethostname()}\n{name}\n')
    result = run(*LAUNCH, '--hosts', hosts, *train, cwd=tmp_path)
    assert_fails(result, 'on host.invalid cannot be reached')
    assert not (tmp_path / 'runs').exists()


@pytest.mark.skipif(not shutil.which('ssh'), reason='there is no ssh')
def test_the_first_host_is_not_there(tmp_path):
    hosts = tmp_path / 'hosts'
    hosts.write_text('host.invalid 2\n')
    for framework, told in (
        ('torch', 'Worker 0 of 2 on host.invalid cannot be reached'),
        ('mxnet', 'The host host.invalid cannot be found'),
    ):
        words = ['--', 'train', '--framework', framework, *TINY]
        result = run(*LAUNCH, '--hosts', hosts, *words, cwd=tmp_path)
        assert_fails(result, told)


def test_a_whole_traceback(tmp_path, train):
    result = run(*LAUNCH, *train, '--debug', '--lr', '-1', cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr.endswith(
        'ValueError: lr is -1.0: it must be positive.\n'
    )
    assert os.listdir(tmp_path) == []


@pytest.mark.slow
def test_the_variables_of_others_do_no_harm(tmp_path, train):
    result = run(
        *(*LAUNCH, *train, '--max-epochs', '1'),
        cwd=tmp_path,
        env={
            **dict.fromkeys(('RANK', 'WORLD_SIZE', 'LOCAL_RANK'), 'x'),
            'DMLC_ROLE': 'worker',
            'TF_CONFIG': 'x',
            'CUDA_VISIBLE_DEVICES': '-1',
        },
    )
    assert result.returncode == 0, result.stderr
    found = Run.open(tmp_path / 'runs' / 'a')
    assert found.info['status'] == 'finished'


@pytest.mark.slow
def test_another_version(tmp_path, train):
    other = tmp_path / 'other'
    metadata = other / 'd2l_vgg-9.9.dist-info' / 'METADATA'
    metadata.parent.mkdir(parents=True)
    metadata.write_text(
        'Metadata-Version: 2.1\nName: d2l-vgg\nVersion: 9.9\n'
    )
    ssh = tmp_path / 'ssh'
    ssh.write_text(SSH.format(other=other))
    ssh.chmod(0o755)
    hosts = tmp_path / 'hosts'
    hosts.write_text(f'{socket.gethostname()}\nother\n')
    result = run(
        *(*LAUNCH, '--hosts', hosts, *train),
        cwd=tmp_path,
        env={
            'PATH': f'{tmp_path}{os.pathsep}{os.environ["PATH"]}',
            'PYTHONPATH': ROOT,
        },
    )
    assert_fails(result, 'Worker 1 of 2 has d2l-vgg 9.9, and worker 0 has')


def test_the_launcher_is_killed(tmp_path, train):
    process = start(*LAUNCH, *train, '--max-epochs', '1000', cwd=tmp_path)
    run_json = tmp_path / 'runs' / 'a' / 'run.json'
    assert wait_for(run_json.exists, process)
    found = children(process.pid)
    assert pid_of(process, 0) in found and pid_of(process, 1) in found
    process.kill()
    process.communicate()

    end = time.monotonic() + 10
    while any(map(state, found)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(map(state, found))
