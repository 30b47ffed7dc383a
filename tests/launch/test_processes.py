"""How a process is started here, and by a shell on another host."""

import json
import os
import subprocess
import sys

import pytest

from d2l_vgg.launch import processes
from d2l_vgg.launch.hosts import Host
from d2l_vgg.launch.plan import Role

TELL = 'import json, os, sys; print(json.dumps([sys.argv, {**os.environ}]))'


def test_what_a_shell_elsewhere_runs(tmp_path, monkeypatch):
    folder = tmp_path / "it's $(a) folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv('D2L_VGG_TRIAL', 'my images; touch x')
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '')
    monkeypatch.setenv('PYTHONPATH', '/somewhere')
    monkeypatch.setenv('RANK', '7')
    words = [sys.executable, '-c', TELL, '--name', '$(touch x)']
    result = subprocess.run(
        ['sh', '-c', processes.remote(words, {'RANK': '1'})],
        cwd=tmp_path,
        env={'HOME': '/nowhere'},
        stdout=subprocess.PIPE,
        check=True,
    )
    argv, environment = json.loads(result.stdout)
    assert argv == ['-c', '--name', '$(touch x)']
    assert environment['D2L_VGG_TRIAL'] == 'my images; touch x'
    assert environment['CUDA_VISIBLE_DEVICES'] == ''
    assert environment['PYTHONPATH'] == '/somewhere'
    assert environment['RANK'] == '1'
    assert environment['HOME'] == '/nowhere'
    assert environment['PWD'] == str(folder)
    assert os.listdir(folder) == []


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Return what starts a `Process` here, of a module with this code."""
    started = []

    def start(code, host='127.0.0.1', environment=None):
        (tmp_path / 'worker_of_a_test.py').write_text(code)
        monkeypatch.setenv('PYTHONPATH', str(tmp_path))
        monkeypatch.setattr(processes, 'MODULE', 'worker_of_a_test')
        role = Role('Worker 1 of 2', Host(host, 1), environment or {})
        started.append(processes.Process(role, ['train']))
        return started[-1]

    yield start
    for process in started:
        process.let_go()
        process.end()


@pytest.mark.parametrize(
    ('code', 'told'),
    [
        ('exit(3)', 'ended with status 3'),
        (
            '1 / 0',
            'ended with status 1 (ZeroDivisionError: division by zero)',
        ),
        (
            'import sys\nsys.exit("d2l-vgg: One.\\nd2l-vgg: Two.\\nthree")',
            'says: Two',
        ),
        ('import os\nos.kill(os.getpid(), 9)', 'was ended by SIGKILL'),
    ],
)
def test_how_one_has_ended(start, code, told):
    process = start(code)
    process.popen.wait(30)
    assert process.ending() == f'Worker 1 of 2 {told}'


def test_a_place_in_the_plan_of_another_launcher_is_not_inherited(
    start, monkeypatch
):
    monkeypatch.setenv('DMLC_ROLE', 'server')
    code = 'import os\nexit(int("DMLC_ROLE" in os.environ))'
    assert start(code).popen.wait(30) == 0
    environment = {'DMLC_ROLE': 'scheduler'}
    assert start(code, environment=environment).popen.wait(30) == 1
