"""How `make` finds a Python and sets itself up, without installing anything.

The real script runs on a path of fake Pythons: short shell scripts that
answer as a Python would and write down what they are asked to do.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Everything the script calls, so that no Python of this machine is found
TOOLS = (
    'awk cat chmod cksum cp dirname env grep head ls make mkdir mv rm sed sh '
    'tr'.split()
)

pytestmark = pytest.mark.skipif(
    os.name != 'posix', reason='`make` and the script need a POSIX shell'
)

# A Python of the version VERSION that can make environments
FITTING = """#!/bin/sh
case "$1 $2 $3" in
'-c import '*) ;;
'-c '*) echo VERSION && [ VERSION != 3.7 ] ;;
'-m venv --clear')
    rm -rf "$4" && mkdir -p "$4/bin" && echo >"$4/pyvenv.cfg"
    cp "$0" "$4/bin/python"
    for name in d2l-vgg jupyter; do
        printf '#!/bin/sh\necho "%s $*" >>LOG\n' $name >"$4/bin/$name"
        chmod +x "$4/bin/$name"
    done
    echo "venv $4 with $0" >>LOG ;;
*) echo "$*" >>LOG ;;
esac
"""
# One that lacks a module, as in a Debian without python3-venv
LACKING = """#!/bin/sh
case "$2" in
*ensurepip*) exit 1 ;;
esac
"""
# What pyenv leaves on the path for a version that is not switched on
SHIM = """#!/bin/sh
echo "pyenv: python3.12: command not found" >&2
exit 127
"""
PIP = "'-m pip --disable-pip-version-check'"


def answering(case, python=FITTING):
    """Return a Python that answers this case of the shell in its own way."""
    return python.replace("'-m venv", f"{case} ;;\n'-m venv", 1)


# With a pip that has no network once LOG.offline is there
OFFLINE = answering(f'{PIP}) echo "$*" >>LOG; [ ! -e LOG.offline ]')
# On a machine that MXNet has no build for, and PyTorch has
WITHOUT_MXNET = answering(
    "'-m d2l_vgg.platforms ') echo 'setup: PyTorch is used'; exit 3 ;;\n"
    "'-m d2l_vgg.platforms mxnet') echo 'setup: no build' >&2; exit 1"
)


class Project:
    """A copy of what the set-up needs, and a machine without any Python."""

    def __init__(self, folder):
        self.root = folder / 'project'
        self.home = folder / 'home'
        self.log = folder / 'log'
        self.path = [folder / 'tools', folder / 'first', folder / 'second']
        for path in (self.root, self.home, *self.path):
            path.mkdir()
        for name in TOOLS:
            (self.path[0] / name).symlink_to(shutil.which(name))
        for name in ('Makefile', 'setup.py'):
            shutil.copy(ROOT / name, self.root)
        for name in ('constraints', 'scripts'):
            shutil.copytree(ROOT / name, self.root / name)

    def add(self, path, text=FITTING, version=None):
        """Make the file `path` executable, with `text` in it.

        `version` is what such a Python says, by default that of its name.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        version = version or path.name.replace('python', '')
        text = text.replace('VERSION', version).replace('LOG', str(self.log))
        path.write_text(text)
        path.chmod(0o755)
        return path

    def run(self, *command, **variables):
        """Run `command` at the root; return its exit status and lines."""
        env = {
            'PATH': ':'.join(map(str, self.path)),
            'HOME': str(self.home),
            **variables,
        }
        result = subprocess.run(
            command,
            cwd=self.root,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return result.returncode, result.stdout.splitlines()

    def setup(self, *needs, **variables):
        return self.run('sh', 'scripts/setup_env.sh', *needs, **variables)

    def refusal(self, *needs, **variables):
        """Run the script, which must refuse, and return its one line."""
        status, lines = self.setup(*needs, **variables)
        assert status == 1
        assert len(lines) == 1, lines
        return lines[0]

    def done(self):
        """Return what the fake Pythons were asked to do since last time."""
        text = self.log.read_text() if self.log.exists() else ''
        self.log.write_text('')
        return text

    def change(self, name):
        with open(self.root / name, 'a') as file:
            file.write('\n')


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


# ------------------------------------------------------- which Python it is


def test_no_python_is_one_clear_line(project):
    line = project.refusal()
    assert line.startswith('setup: no Python 3.10 or newer')
    assert 'install one' in line and 'uv' in line and 'lacks' not in line
    assert not (project.root / '.venv').exists()


def test_unfit_pythons_are_refused_in_one_line(project):
    _, first, second = project.path
    project.add(first / 'python3.12', SHIM)
    project.add(first / 'python3.11', '#!/bin/sh\nexit 1\n')
    project.add(second / 'python3.10', version='3.7')
    # The script's own question, put to a true Python that says it is 3.7
    code = 'import sys; sys.version_info = (3, 7, 9); exec(sys.argv[1])'
    old = f'#!/bin/sh\nexec {sys.executable} -c "{code}" "$2"\n'
    project.add(second / 'python3.13', old)
    assert 'no Python 3.10 or newer' in project.refusal()
    assert project.done() == ''


def test_module_that_python_lacks_is_named_with_its_package(project):
    project.add(project.path[1] / 'python3', LACKING)
    line = project.refusal()
    assert 'python3 lacks the module ensurepip' in line
    if os.path.exists('/etc/debian_version'):
        # The package that every Debian has, not one of a single version
        assert 'apt install python3-venv' in line


def test_python_behind_broken_ones_is_found(project):
    _, first, second = project.path
    reading = '#!/bin/sh\nwhile read -r x; do :; done\nexit 1\n'
    project.add(first / 'python3.13', reading)
    project.add(first / 'python3.12', SHIM)
    python = project.add(second / 'python3.12')
    status, lines = project.setup()
    assert status == 0
    assert lines[0] == f'setup: making .venv with {python} (Python 3.12)'


def test_newest_tested_python_of_path_comes_before_those_of_pyenv(project):
    pyenv = project.home / 'pyenv'
    for version in ('3.10', '3.11', '3.13', '3.14'):
        folder = pyenv / 'versions' / f'{version}.1' / 'bin'
        project.add(folder / f'python{version}')
    _, lines = project.setup(PYENV_ROOT=str(pyenv))
    assert f'{pyenv}/versions/3.13.1/bin/python3.13' in lines[0]
    shutil.rmtree(project.root / '.venv')
    # Where pyenv is by default
    pyenv.rename(project.home / '.pyenv')
    assert 'versions/3.13.1/bin/python3.13' in project.setup()[1][0]
    shutil.rmtree(project.root / '.venv')
    python = project.add(project.path[1] / 'python3.10')
    assert f'{python} (Python 3.10)' in project.setup()[1][0]


def test_python_that_was_not_tried_is_taken_with_a_word(project):
    project.add(project.path[1] / 'python3', version='3.15')
    status, lines = project.setup()
    assert status == 0
    assert 'python3 (Python 3.15)' in lines[0]
    assert 'Python 3.15 has not been tried' in lines[1]
    done = project.done()
    # Nothing is pinned that may have no build for it
    assert '--constraint' not in done and '--editable' in done


def test_uv_is_asked_where_no_python_fits(project):
    python = project.add(project.home / 'uv' / 'python3.13')
    uv = (
        '#!/bin/sh\necho "uv $* $UV_PYTHON_PREFERENCE" >>LOG\n'
        f'[ "$2" != find ] || echo {python}\n'
    )
    project.add(project.path[1] / 'uv', uv)
    status, lines = project.setup()
    assert status == 0
    assert f'{python} (Python 3.13)' in lines[0]
    assert project.done().splitlines()[:2] == [
        'uv python install 3.13 only-managed',
        'uv python find 3.13 only-managed',
    ]
    shutil.rmtree(project.root / '.venv')
    project.add(project.path[1] / 'python3.10')
    assert project.setup()[0] == 0
    assert 'uv ' not in project.done()


def test_uv_without_network_is_told_and_not_proposed(project):
    uv = '#!/bin/sh\necho "error: dns" >&2\nexit 1\n'
    project.add(project.path[1] / 'uv', uv)
    status, lines = project.setup()
    assert status == 1
    assert lines[0] == 'error: dns' and len(lines) == 2
    assert 'uv could not download Python 3.13' in lines[1]
    assert 'docs.astral.sh' not in lines[1]


def test_variable_asks_for_one_python_and_no_other(project):
    _, first, second = project.path
    project.add(first / 'python3.11')
    old = project.add(second / 'python3.10')
    older = project.add(second / 'python3.7')
    for asked in (str(older), 'python3.7', '3.7', '3.12', str(first)):
        line = project.refusal(PYTHON=asked)
        assert line.startswith(f'setup: PYTHON={asked}: no such Python 3.10')
    for asked in (str(old), 'python3.10', '3.10'):
        shutil.rmtree(project.root / '.venv', ignore_errors=True)
        _, lines = project.setup(PYTHON=asked)
        assert 'python3.10 (Python 3.10)' in lines[0]


def test_python_is_one_that_has_the_framework(project):
    _, first, second = project.path
    project.add(first / 'python3.10')
    assert 'no Python 3.11 or newer' in project.refusal(FRAMEWORK='torch')
    project.add(second / 'python3.14')
    assert 'no Python 3.11 or newer' in project.refusal(FRAMEWORK='all')
    line = project.refusal(FRAMEWORK='torch', PYTHON='3.10')
    assert line.startswith('setup: for Python 3.10 there is no torch that')
    assert project.setup(FRAMEWORK='torch')[1][0].endswith('(Python 3.14)')
    project.done()
    line = project.refusal(FRAMEWORK='tensorflow')
    assert 'Python 3.14 there is no tensorflow' in line
    assert 'PYTHON=3.13' in line and 'if .venv is to stay' in line
    assert project.done() == ''


# ------------------------------------------------ what is installed, and when


def test_second_call_skips_what_is_done(project):
    project.add(project.path[1] / 'python3.11')
    assert project.setup()[0] == 0
    done = project.done()
    assert '-m ensurepip' in done and 'constraints/py311.txt' in done
    assert re.search(
        r'--use-pep517 --no-build-isolation --editable \.\[mxnet-needs\]',
        done,
    )
    # Without the NumPy and the Jupyter that their own lists ask for
    assert '--no-deps mxnet==1.9.1 d2l==1.0.3' in done
    assert 'scripts/load_mxnet.py' in done

    assert project.setup() == (0, [])
    assert project.done() == ''

    # What it installs, or how, has changed: the environment is the same
    for name in (
        *('constraints/py311.txt', 'setup.py'),
        *('scripts/setup_env.sh', 'scripts/load_mxnet.py'),
    ):
        project.change(name)
        assert project.setup()[0] == 0
        done = project.done()
        assert '--editable' in done and 'venv' not in done, name
    assert project.setup() == (0, [])

    # The environment is gone
    shutil.rmtree(project.root / '.venv')
    assert project.setup()[0] == 0
    assert '--editable' in project.done()


def test_each_target_installs_what_it_needs_once(project):
    project.add(project.path[1] / 'python3.13')
    for need, extras in [
        ('test', 'mxnet-needs,test'),
        ('chapter', 'mxnet-needs,book'),
        ('notebook', 'mxnet-needs,book,notebook'),
        ('lint', 'mxnet-needs,lint'),
    ]:
        status, lines = project.setup(need)
        assert status == 0 and lines[-1].endswith(need)
        assert f'--editable .[{extras}]' in project.done()
    # What has been installed is remembered, all of it
    for needs in ([], ['test'], ['chapter', 'lint'], ['notebook']):
        assert project.setup(*needs) == (0, [])
    assert project.done() == ''


@pytest.mark.parametrize(
    'needs, variables, told',
    [
        (['tests'], {}, 'tests is nothing to set up for: test, chapter'),
        ([], {'FRAMEWORK': 'keras'}, 'keras is no framework: choose mxnet'),
        ([], {'MXNET': 'cu118'}, 'choose cpu, cu112 or cu117, or system'),
        ([], {'MXNET': 'system'}, 'which has none: name a Python that has'),
    ],
)
def test_wrong_request_is_refused_in_one_line(
    project, needs, variables, told
):
    project.add(project.path[1] / 'python3.13')
    assert told in project.refusal(*needs, **variables)
    assert 'pip' not in project.done()
    assert not (project.root / '.venv').exists()


def test_offline_machine_goes_on_with_what_it_has(project):
    project.add(project.path[1] / 'python3.13', OFFLINE)
    assert project.setup('test')[0] == 0
    project.done()
    Path(f'{project.log}.offline').touch()
    assert project.setup('test') == (0, [])
    # A full disk has left this one empty
    (project.root / '.venv' / 'mxnet_wheel').write_text('')
    assert project.setup('test') == (0, [])
    # Another wheel of MXNet is not the one that is there, which stays
    status, lines = project.setup('test', MXNET='cu117')
    assert status == 1 and 'needs the network once' in lines[-1]
    assert 'uninstall' not in project.done()
    assert project.setup('test') == (0, [])
    # Something has changed since
    project.change('setup.py')
    status, lines = project.setup('test')
    assert status == 0
    assert 'could not be brought up to date' in lines[-1]
    # What was never installed cannot be done without
    status, lines = project.setup('chapter')
    assert status == 1 and 'needs the network once' in lines[-1]


def test_environment_with_another_python_is_not_taken_for_what_it_was(
    project,
):
    for version in ('3.13', '3.12'):
        project.add(project.path[1] / f'python{version}', OFFLINE)
    assert project.setup('test')[0] == 0
    python = project.root / '.venv' / 'bin' / 'python'
    python.unlink()
    status, lines = project.setup('test')
    assert status == 0 and lines[1].endswith('is needed for mxnet test')
    assert project.setup('test') == (0, [])
    Path(f'{project.log}.offline').touch()
    # As a system does that is upgraded
    python.write_text(python.read_text().replace('3.13', '3.14'))
    assert project.setup('test')[0] == 1
    python.unlink()
    for variables in ({}, {'PYTHON': '3.12'}):
        status, lines = project.setup('test', **variables)
        assert status == 1 and 'needs the network once' in lines[-1]


@pytest.mark.parametrize(
    'case', [f'{PIP}) exit 1', "'-m ensurepip ') exit 1",
             "'scripts/load_mxnet.py '*) exit 1"]
)  # fmt: skip
def test_failed_installation_is_not_taken_for_done(project, case):
    project.add(project.path[1] / 'python3.11', answering(case))
    for _ in range(2):
        status, lines = project.setup()
        assert status == 1 and any('installing into' in x for x in lines)
        assert ('pip could not install' in lines[-1]) == ('pip -' in case)


def test_folder_of_somebody_else_is_not_emptied(project):
    project.add(project.path[1] / 'python3.13')
    for name, file in ('work', 'thesis.txt'), ('theirs', 'pyvenv.cfg'):
        (project.root / name).mkdir()
        (project.root / name / file).touch()
        line = project.refusal(VENV=name)
        assert f'{name} is no virtual environment' in line
        assert (project.root / name / file).exists()
    (project.root / 'empty').mkdir()  # As a volume of Docker is at first
    assert project.setup(VENV='empty')[0] == 0


def test_paths_may_hold_blanks_and_a_moved_project_installs_again(project):
    python = project.add(project.path[1] / 'a b' / 'python3.13')
    assert project.setup(PYTHON=str(python), VENV='my env')[0] == 0
    assert project.setup(VENV='my env') == (0, [])
    assert not (project.root / 'my').exists()
    assert not (project.root / '.venv').exists()
    project.done()
    project.root = project.root.rename(project.root.parent / 'my project')
    assert project.setup(VENV='my env')[0] == 0
    assert '--editable' in project.done()


def test_script_can_be_called_from_anywhere(project):
    project.add(project.path[1] / 'python3.13')
    (project.home / 'scripts').mkdir()
    script = project.root / 'scripts' / 'setup_env.sh'
    status, _ = project.run('sh', '-c', f'cd / && sh "{script}"')
    assert status == 0 and (project.root / '.venv').exists()
    assert project.setup(CDPATH=str(project.home)) == (0, [])


def test_settings_of_other_installations_change_nothing(project):
    noting = f'{PIP}) echo "<$PIP_USER${{PIP_TARGET:-}}${{PYTHONHOME:-}}>"'
    python = answering(f'{noting} >>LOG')
    project.add(project.path[1] / 'python3.13', python)
    project.setup(PIP_USER='1', PIP_TARGET='/away', PYTHONHOME='/usr')
    assert project.done().splitlines().count('<0>') == 3


# ------------------------------------------------------------ which framework


def test_variable_asks_for_the_wheel_of_a_gpu(project):
    project.add(project.path[1] / 'python3.11')
    assert project.setup()[0] == 0
    assert 'uninstall' not in project.done()
    assert project.setup(MXNET='cu117')[0] == 0
    asked = [x for x in project.done().splitlines() if '-m pip' in x]
    # The wheels share a folder: one must be gone before another comes, but
    # not before that other is on this machine
    assert 'download' in asked[0] and 'mxnet-cu117==1.9.1' in asked[0]
    assert 'uninstall --yes -qq mxnet mxnet-cu112' in asked[1]
    assert '--no-index' in asked[2] and 'mxnet-cu117==1.9.1' in asked[2]
    assert '--no-deps mxnet-cu117==1.9.1 d2l==1.0.3' in asked[4]
    assert asked[5].endswith('--editable .[mxnet-needs,cuda-11]')
    # And it stays when no wheel is asked for
    assert project.setup() == (0, [])
    assert project.setup(MXNET='cpu')[0] == 0
    assert 'uninstall' in project.done()


def test_mxnet_that_pip_did_not_install_is_left_as_it_is(project):
    there = FITTING.replace(
        "'-c import '*)",
        "'-c import os'*) echo /opt/mx ;;\n'-c import '*)",
    )
    project.add(project.path[1] / 'python3.11', there)
    assert project.setup()[0] == 0
    project.done()
    assert project.setup(MXNET='system')[0] == 0
    done = project.done()
    # No wheel of another time beside it, and none over it
    assert 'uninstall --yes -qq mxnet mxnet-cu112' in done
    assert 'mxnet==' not in done and '--no-deps d2l==1.0.3' in done
    assert '--editable .[mxnet-needs]' in done
    assert 'scripts/load_mxnet.py /opt/mx' in done
    # And it stays when no wheel is asked for
    assert project.setup() == (0, [])


def test_one_framework_is_installed_without_the_others(project):
    project.add(project.path[1] / 'python3.11')
    assert project.setup('test', FRAMEWORK='pytorch')[0] == 0
    done = project.done()
    assert '--editable .[torch,test]' in done
    # With pins of their own, where those of MXNet have the NumPy of d2l
    assert '--constraint constraints/frameworks-py311.txt' in done
    assert 'mxnet==' not in done and 'load_mxnet' not in done
    assert project.setup('test', FRAMEWORK='torch') == (0, [])
    used = project.root / '.venv' / 'frameworks'
    assert used.read_text() == 'torch\n'
    # MXNet has not been installed by that, and can come to it
    assert project.setup('test')[0] == 0
    done = project.done()
    assert '--no-deps mxnet==1.9.1' in done and 'load_mxnet' in done
    assert 'constraints/py311.txt' not in done
    assert used.read_text() == 'mxnet\n'
    for variables in ({}, {'FRAMEWORK': 'torch'}):
        assert project.setup('test', **variables) == (0, [])


def test_all_frameworks_are_installed_together(project):
    project.add(project.path[1] / 'python3.13')
    assert project.setup(FRAMEWORK='all')[0] == 0
    done = project.done()
    assert '--editable .[mxnet-needs,torch,tensorflow,jax]' in done
    assert '--no-deps mxnet==1.9.1' in done and 'load_mxnet' in done
    for framework in ('mxnet', 'torch', 'tensorflow', 'jax', 'all', ''):
        assert project.setup(FRAMEWORK=framework) == (0, [])


def test_what_is_there_moves_to_the_pins_of_a_framework_that_comes(project):
    project.add(project.path[1] / 'python3.11')
    project.setup('test')
    assert 'constraints/py311.txt' in project.done()
    status, lines = project.setup(FRAMEWORK='jax')
    assert status == 0 and lines[-1].endswith('needed for jax mxnet test')
    done = project.done()
    assert '--editable .[jax,mxnet-needs,test]' in done
    assert 'constraints/py311.txt' not in done
    assert project.setup('test') == (0, [])
    # Where there is one NumPy for all, only the new one is installed
    project.add(project.path[1] / 'python3.13')
    project.setup('test', PYTHON='3.13')
    done = project.done()
    assert 'venv .venv with' in done and 'constraints/py313.txt' in done
    project.setup(FRAMEWORK='jax')
    assert '--editable .[jax]' in project.done()


def test_where_mxnet_has_no_build_pytorch_is_used(project):
    project.add(project.path[1] / 'python3.10', WITHOUT_MXNET)
    assert 'no Python 3.11' in project.setup()[1][-1]
    project.add(project.path[1] / 'python3.13', WITHOUT_MXNET)
    status, lines = project.run('make', 'run')
    assert status == 0 and lines[0] == 'setup: PyTorch is used'
    *done, trained = project.done().splitlines()
    assert 'd2l-vgg train --framework torch --experiment quick' in trained
    assert '--editable .[torch]' in '\n'.join(done)
    assert 'mxnet==' not in '\n'.join(done)
    # It is said each time, and nothing else is done again
    status, lines = project.run('make', 'run')
    assert lines == ['setup: PyTorch is used']
    assert project.done() == f'{trained}\n'
    # Who asks for MXNet does not get another
    for framework in ('mxnet', 'all'):
        assert project.refusal(FRAMEWORK=framework) == 'setup: no build'


def test_nothing_is_made_where_no_framework_can_be_had(project):
    refusing = "'-m d2l_vgg.platforms '*) echo 'setup: no build' >&2; exit 1"
    project.add(project.path[1] / 'python3.11', answering(refusing))
    assert project.refusal() == 'setup: no build'
    assert not (project.root / '.venv').exists()
    assert project.done() == ''


CPU_INDEX = '--index-url https://download.pytorch.org/whl/cpu torch'


def asked_of_pip(project, **variables):
    """Set up PyTorch; return the calls of pip after that for setuptools."""
    shutil.rmtree(project.root / '.venv', ignore_errors=True)
    status, lines = project.setup(FRAMEWORK='torch', **variables)
    assert status == 0 and len(lines) == 2, lines
    return [x for x in project.done().splitlines() if '-m pip' in x][1:]


def test_pytorch_comes_without_cuda_where_there_is_no_gpu(project):
    python = project.add(project.path[1] / 'python3.13')
    first, then = asked_of_pip(project)
    assert first.endswith(CPU_INDEX) and '--no-deps' in first
    assert '--constraint constraints/py313.txt' in first
    assert then.endswith('--editable .[torch]') and 'index' not in then

    # From elsewhere, or as pip does by itself
    first, _ = asked_of_pip(project, TORCH_INDEX='file:///wheels')
    assert first.endswith('--index-url file:///wheels torch')
    assert len(asked_of_pip(project, TORCH_INDEX='')) == 1
    # With a GPU, too, unless its driver is gone
    smi = project.add(project.path[1] / 'nvidia-smi', '#!/bin/sh\n')
    assert len(asked_of_pip(project)) == 1
    project.add(smi, '#!/bin/sh\nexit 9\n')
    assert len(asked_of_pip(project)) == 2

    # An index without what is needed: that of this project is passed over
    failing = f'{PIP}) echo "$*" >>LOG\n    case $* in *--index-url*) exit 1'
    project.add(python, answering(f'{failing} ;; esac'))
    assert len(asked_of_pip(project)) == 2
    # That of the user is not
    shutil.rmtree(project.root / '.venv')
    status, lines = project.setup(
        FRAMEWORK='torch', TORCH_INDEX='file:///wheels'
    )
    assert status == 1 and 'pip could not install' in lines[-1]


@pytest.mark.skipif(sys.platform != 'linux', reason='asked on Linux only')
@pytest.mark.parametrize('answer', ['200 OK', '404 Not Found', None])
def test_index_that_does_not_answer_at_once_is_not_waited_for(
    project, answer
):
    """The script's own question, put to a server by a true Python."""
    server = socket.create_server(('127.0.0.1', 0))
    address = f'http://127.0.0.1:{server.getsockname()[1]}/'
    asking = FITTING.replace(
        "'-c '",
        f"'-c '*urllib*) exec {sys.executable} -c \"$2\" {address} ;;\n'-c '",
        1,
    )
    project.add(project.path[1] / 'python3.13', asking)

    def serve():
        connection, _ = server.accept()
        connection.recv(1000)
        if answer:
            head = f'HTTP/1.0 {answer}\r\nContent-Length: 0\r\n\r\n'
            connection.sendall(head.encode())
        else:
            connection.recv(1000)  # Until the other side gives up
        connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    start = time.monotonic()
    calls = asked_of_pip(project)
    assert time.monotonic() - start < 60
    thread.join()
    server.close()
    assert len(calls) == (2 if answer == '200 OK' else 1)


# ----------------------------------------------------- what the Makefile does


def test_plain_make_lists_every_target(project):
    makefile = (ROOT / 'Makefile').read_text()
    targets = re.findall(r'^([a-z_-]+):', makefile, re.M)
    assert {'help', 'setup', 'run', 'test', 'lint', 'bench'} <= set(targets)
    status, lines = project.run('make')
    assert status == 0
    assert [line.split()[1] for line in lines] == targets
    assert all(len(line.split()) > 3 for line in lines)


def test_targets_set_up_what_they_use(project):
    makefile = (ROOT / 'Makefile').read_text()
    asked = dict(
        re.findall(r'^([a-z-]+):.*\n\t@\$\(set_up\)(.*)$', makefile, re.M)
    )
    assert asked == {
        **dict.fromkeys(['setup', 'run', 'bench', 'doctor'], ''),
        **dict.fromkeys(['test', 'test-all'], ' test'),
        **dict.fromkeys(['chapter', 'slides', 'pdf'], ' chapter'),
        'notebook': ' notebook',
        **dict.fromkeys(['lint', 'format'], ' lint'),
    }
    assert '.NOTPARALLEL' in makefile


def test_targets_use_the_environment_that_was_asked_for(project):
    def commands(target, *args, **variables):
        return '\n'.join(
            project.run('make', '-n', target, *args, **variables)[1]
        )

    tests = commands('test', 'ARGS=-k vgg', VENV='my env')
    assert '"my env/bin/python" -m pytest ' in tests
    assert tests.endswith("-m 'not slow' -k vgg")
    assert 'slow' not in commands('test-all')
    run = commands('run', 'ARGS=--seed 1')
    assert '".venv/bin/d2l-vgg" train --framework $framework' in run
    assert '--experiment quick --seed 1' in run
    assert 'PATH="$(' in commands('notebook')
    removed = commands('clean').split()
    assert '.venv' in removed and 'runs' not in removed


def test_targets_use_the_framework_that_was_asked_for(project):
    project.add(project.path[1] / 'python3.13')

    def commands(*args):
        status, _ = project.run('make', *args)
        assert status == 0
        return [
            line
            for line in project.done().splitlines()
            if line.startswith(('d2l-vgg', 'jupyter'))
        ]

    def train(framework):
        return (
            f'd2l-vgg train --framework {framework} --experiment quick '
            '--seed 1'
        )

    seed = 'ARGS=--seed 1'
    assert commands('run', seed) == [train('mxnet')]
    assert commands('run', seed, 'FRAMEWORK=pytorch') == [train('torch')]
    assert commands('run', seed, 'FRAMEWORK=all') == list(
        map(train, ['mxnet', 'torch', 'tensorflow', 'jax'])
    )
    for framework, tab in ('torch', 'pytorch'), ('jax', 'jax'), ('', 'mxnet'):
        assert commands('notebook', f'FRAMEWORK={framework}')[1] == (
            f'jupyter lab notebooks/{tab}/vgg.ipynb'
        )
    # The first that fails is the last
    failing = project.root / '.venv' / 'bin' / 'd2l-vgg'
    failing.write_text(failing.read_text() + 'exit 1\n')
    status, _ = project.run('make', 'run', 'FRAMEWORK=all')
    assert status != 0 and len(project.done().splitlines()) == 1
