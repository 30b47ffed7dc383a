"""`make` sets itself up, and tells in one line where it cannot."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = (
    *('Makefile', 'README.md', 'd2l_vgg', 'pyproject.toml'),
    *('requirements', 'scripts', 'setup.py'),
)
VERSION = f'{sys.version_info.major}.{sys.version_info.minor}'

pytestmark = pytest.mark.skipif(
    os.name != 'posix', reason='`make` and the script need a POSIX shell'
)


def run(*command, cwd=ROOT, **variables):
    """Run `command`; return its exit status and lines."""
    environment = {**os.environ, 'PYTHON': sys.executable, **variables}
    for name in 'FRAMEWORK', 'MXNET', 'VENV':
        if name not in variables:
            environment.pop(name, None)
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout.splitlines()


@pytest.mark.parametrize(
    'needs, variables, told',
    [
        (['tests'], {}, 'tests is nothing to set up for: choose test'),
        ([], {'FRAMEWORK': 'keras'}, 'keras is no framework: choose mxnet'),
        ([], {'MXNET': 'cu118'}, 'choose cpu, cu112, cu117 or 2'),
        ([], {'MXNET': '/no/mxnet-2-py3-none-any.whl'}, 'whl is not there'),
        ([], {'PYTHON': '/nowhere'}, 'was found by PYTHON=/nowhere'),
        ([], {'PYTHON': 'false'}, 'apt install python3-venv'),
    ],
)
def test_setup_refuses_wrong_request_in_one_line(
    tmp_path, needs, variables, told
):
    venv = tmp_path / 'my env'
    status, lines = run(
        *('sh', 'scripts/setup_env.sh', *needs), VENV=str(venv), **variables
    )
    assert status == 1 and len(lines) == 1
    assert lines[0].startswith('setup: ') and lines[0].endswith('.')
    assert told in lines[0]
    assert not venv.exists()


def test_setup_refuses_python_that_framework_has_no_release_for(tmp_path):
    python = tmp_path / 'python'
    python.write_text('#!/bin/sh\necho 3.14\n')
    python.chmod(0o755)
    status, lines = run(
        *('sh', 'scripts/setup_env.sh'),
        **{'FRAMEWORK': 'tensorflow', 'VENV': str(tmp_path / 'new')},
        PYTHON=str(python),
    )
    assert status == 1 and len(lines) == 1
    assert 'Python 3.14' in lines[0] and 'with tensorflow' in lines[0]


def test_setup_does_not_empty_folder_of_somebody_else(tmp_path):
    (tmp_path / 'pyvenv.cfg').touch()
    status, lines = run('sh', 'scripts/setup_env.sh', VENV=str(tmp_path))
    assert status == 1
    assert 'is no virtual environment of this project' in lines[-1]
    assert (tmp_path / 'pyvenv.cfg').exists()


@pytest.mark.slow
def test_setup_makes_environment_once_in_folders_with_blanks(tmp_path):
    project = tmp_path / 'my project'
    project.mkdir()
    for name in PROJECT:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, project / name)

    def make(*words, **variables):
        variables = {'FRAMEWORK': 'mxnet', 'VENV': 'my env', **variables}
        words = ['--no-print-directory', *words]
        return run('make', *words, cwd=project, **variables)

    offline = {'PIP_CONFIG_FILE': os.devnull, 'PIP_NO_INDEX': '1'}
    offline['PIP_FIND_LINKS'] = ''
    status, lines = make('setup', **offline)
    assert status != 0
    assert any('needs the network once' in line for line in lines)
    # What is half made is made again
    status, lines = make('setup')
    assert status == 0
    assert any(line.startswith('setup: making my env') for line in lines)
    assert not (project / 'my').exists()

    train = 'ARGS=--num-train 512 --max-epochs 1'
    for folder in 'my project', 'moved project':
        project = project.rename(tmp_path / folder)
        status, lines = make('run', train, **offline)
        assert status == 0, lines
        assert lines[-1].startswith('Validation accuracy 0.')
        # A moved project is installed again, of what is there
        installed = any('installing into' in line for line in lines)
        assert installed == (folder == 'moved project')
        assert make('setup', **offline) == (0, [])
    # What comes later is not had without a network, and the rest stays
    status, lines = make('lint', **offline)
    assert status != 0
    assert make('setup', **offline) == (0, [])
