"""How `make` finds a Python and sets itself up, without installing anything.

The real script runs on a path of fake Pythons: short shell scripts that
answer as a Python would and write down what they are asked to do.
"""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Everything the script calls, so that no Python of this machine is found
TOOLS = 'awk cat cksum cp dirname head make mkdir rm sh tr'.split()

pytestmark = pytest.mark.skipif(
    os.name != 'posix', reason='`make` and the script need a POSIX shell'
)

# A Python of the version VERSION that can make environments
FITTING = """#!/bin/sh
case "$1 $2 $3" in
'-c '*) echo VERSION ;;
'-m venv --clear')
    rm -rf "$4" && mkdir -p "$4/bin" && echo >"$4/pyvenv.cfg"
    cp "$0" "$4/bin/python"
    echo "venv $4 with $0" >>LOG ;;
*) echo "$*" >>LOG ;;
esac
"""
# What pyenv leaves on the path for a version that is not switched on
SHIM = """#!/bin/sh
echo "pyenv: python3.12: command not found" >&2
exit 127
"""


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

    def add(self, path, text, version='3.11'):
        """Make the file `path` executable, with `text` in it."""
        path.parent.mkdir(parents=True, exist_ok=True)
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

    def setup(self, **variables):
        return self.run('make', '-s', 'setup', **variables)

    def refusal(self, **variables):
        """Run the script, which must refuse, and return its one line."""
        status, lines = self.run('sh', 'scripts/setup_env.sh', **variables)
        assert status == 1
        assert len(lines) == 1, lines
        return lines[0]

    def done(self):
        """Return what the fake Pythons were asked to do since last time."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.write_text('')
        return lines


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def test_no_python_is_one_clear_line(project):
    line = project.refusal()
    assert line.startswith('setup: no Python from 3.8 to 3.12')
    assert 'install one' in line
    assert not (project.root / '.venv').exists()


def test_unfit_pythons_are_refused_in_one_line(project):
    _, first, second = project.path
    project.add(first / 'python3.12', SHIM)
    project.add(second / 'python3.12', FITTING, version='3.13')
    project.add(first / 'python3.11', '#!/bin/sh\nexit 0\n')
    project.add(first / 'python3.8', FITTING, version='3.7')
    assert 'no Python from 3.8 to 3.12' in project.refusal()
    assert project.done() == []


def test_python_behind_a_broken_shim_is_found(project):
    _, first, second = project.path
    project.add(first / 'python3.12', SHIM)
    python = project.add(second / 'python3.12', FITTING, version='3.12')
    status, lines = project.setup()
    assert status == 0
    assert lines[0] == f'setup: making .venv with {python} (Python 3.12)'


def test_python_of_the_path_comes_before_those_of_pyenv(project):
    versions = project.home / '.pyenv' / 'versions'
    for name in ('3.8.18', '3.11.7', '3.13.0'):
        version = name.rpartition('.')[0]
        path = versions / name / 'bin' / f'python{version}'
        project.add(path, FITTING, version)
    _, lines = project.setup()
    assert f'{versions}/3.11.7/bin/python3.11' in lines[0]
    shutil.rmtree(project.root / '.venv')
    on_path = project.add(project.path[1] / 'python3.9', FITTING, '3.9')
    _, lines = project.setup()
    assert f'{on_path} (Python 3.9)' in lines[0]


def test_uv_is_asked_last(project):
    python = project.add(project.home / 'uv' / 'python3.11', FITTING)
    uv = f'#!/bin/sh\necho "uv $*" >>LOG\n[ "$2" != find ] || echo {python}\n'
    project.add(project.path[1] / 'uv', uv)
    status, lines = project.setup()
    assert status == 0
    assert f'{python} (Python 3.11)' in lines[0]
    assert project.done()[:2] == [
        'uv python install 3.11',
        'uv python find 3.11',
    ]


def test_variable_asks_for_one_python_and_no_other(project):
    _, first, second = project.path
    project.add(first / 'python3.11', FITTING, '3.11')
    old = project.add(second / 'python3.9', FITTING, '3.9')
    new = project.add(second / 'python3.13', FITTING, '3.13')
    for asked in (str(new), 'python3.13', '3.13', '3.12', str(first)):
        line = project.refusal(PYTHON=asked)
        assert line.startswith(f'setup: PYTHON={asked}: no Python from 3.8')
    for asked in (str(old), 'python3.9', '3.9'):
        shutil.rmtree(project.root / '.venv', ignore_errors=True)
        _, lines = project.setup(PYTHON=asked)
        assert 'python3.9 (Python 3.9)' in lines[0]


def test_second_call_skips_what_is_done(project):
    project.add(project.path[1] / 'python3.11', FITTING)
    assert project.setup()[0] == 0
    done = '\n'.join(project.done())
    assert 'constraints/py311.txt --editable .[cpu,book,dev]' in done
    assert 'scripts/load_mxnet.py' in done
    assert 'd2l==1.0.3' not in done

    assert project.setup() == (0, [])
    assert project.done() == []

    # The needs have changed: install again, into the same environment
    with open(project.root / 'setup.py', 'a') as file:
        file.write('\n')
    assert project.setup()[0] == 0
    done = '\n'.join(project.done())
    assert '--editable' in done and 'venv' not in done
    assert project.setup() == (0, [])

    # The environment is gone, or was made in another place
    shutil.rmtree(project.root / '.venv')
    assert project.setup()[0] == 0
    assert '--editable' in '\n'.join(project.done())


def test_variable_asks_for_the_wheel_of_a_gpu(project):
    project.add(project.path[1] / 'python3.11', FITTING)
    assert 'choose cpu, cu112 or cu117' in project.refusal(MXNET='cu118')
    assert project.setup()[0] == 0
    assert 'uninstall' not in '\n'.join(project.done())
    assert project.setup(MXNET='cu117')[0] == 0
    asked = [line for line in project.done() if 'install' in line]
    # The wheels share a folder: one must be gone before another comes
    assert 'uninstall --yes -qq mxnet mxnet-cu112' in asked[0]
    assert asked[1].endswith('--editable .[cu117,book,dev]')
    # And it stays when no wheel is asked for
    assert project.setup() == (0, [])
    assert project.setup(MXNET='cpu')[0] == 0
    assert 'uninstall' in '\n'.join(project.done())


def test_failed_installation_is_not_taken_for_done(project):
    broken = FITTING.replace(
        '*) echo "$', "'-m pip'*) exit 1 ;;\n*) echo \"$"
    )
    project.add(project.path[1] / 'python3.11', broken)
    for _ in range(2):
        status, lines = project.setup()
        assert status != 0
        assert any('pip could not install' in line for line in lines)


def test_another_python_makes_the_environment_anew(project):
    project.add(project.path[1] / 'python3.11', FITTING, '3.11')
    project.add(project.path[1] / 'python3.12', FITTING, '3.12')
    project.setup()
    project.done()
    assert project.setup(PYTHON='3.12')[0] == 0
    done = '\n'.join(project.done())
    assert 'venv .venv with' in done
    assert 'constraints/py312.txt' in done
    # Only there, since d2l's own pins cannot be met
    assert 'install --no-deps d2l==1.0.3' in done
    # What was made is kept when no Python is asked for
    assert project.setup() == (0, [])


def test_another_folder_can_hold_the_environment(project):
    project.add(project.path[1] / 'python3.11', FITTING)
    assert project.setup(VENV='other')[0] == 0
    assert (project.root / 'other' / 'pyvenv.cfg').exists()
    assert not (project.root / '.venv').exists()


def test_folder_with_something_else_in_it_is_not_emptied(project):
    (project.root / 'work').mkdir()
    (project.root / 'work' / 'thesis.txt').write_text('years')
    # The Python of this test is a real one, and fits
    line = project.refusal(VENV='work', PYTHON=sys.executable)
    assert 'work is no virtual environment' in line
    assert (project.root / 'work' / 'thesis.txt').exists()


def test_plain_make_lists_every_target(project):
    makefile = (ROOT / 'Makefile').read_text()
    targets = re.findall(r'^([a-z_]+):', makefile, re.M)
    assert {'help', 'setup', 'run', 'test', 'lint', 'bench'} <= set(targets)
    status, lines = project.run('make')
    assert status == 0
    assert [line.split()[1] for line in lines] == targets
    assert all(len(line.split()) > 3 for line in lines)


@pytest.mark.parametrize('minor', range(8, 13))
def test_constraints_are_exact_versions_of_published_packages(minor):
    text = (ROOT / 'constraints' / f'py3{minor}.txt').read_text()
    pins = [line for line in text.splitlines() if not line.startswith('#')]
    assert all(re.match(r'^[\w.-]+==[\w.]+$', pin) for pin in pins)
    names = [normal(pin.partition('==')[0]) for pin in pins]
    assert len(names) == len(set(names))
    assert {'numpy', 'mxnet', 'ipython', 'pytest', 'ruff'} <= set(names)
    assert 'mxnet==1.9.1' in pins
    # Everything that the package asks for by name, in its extras, too
    for needed in importlib.metadata.requires('d2l-vgg'):
        name = normal(re.match(r'[\w.-]+', needed).group())
        if not name.startswith(('mxnet-cu', 'nvidia-')):
            if name != 'setuptools' or minor == 12:
                assert name in names, name
    assert f'numpy=={"1.26.4" if minor == 12 else "1.23.5"}' in pins


def normal(name):
    """Return the name of a package as PyPI compares it."""
    return re.sub(r'[-_.]+', '-', name).lower()


def load_script(name):
    path = ROOT / 'scripts' / f'{name}.py'
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_missing_libquadmath_is_taken_from_numpy(tmp_path):
    script = load_script('load_mxnet')
    folder = tmp_path / 'mxnet'
    folder.mkdir()
    # NumPy has no copy: nothing is linked, and the library stays missing
    script.link_libquadmath(folder)
    assert list(folder.iterdir()) == []
    copy = tmp_path / 'numpy.libs' / 'libquadmath-96973f99.so.0.0.0'
    copy.parent.mkdir()
    copy.write_bytes(b'code')
    # An earlier NumPy, whose copy had another name, may have left a link
    (folder / 'libquadmath.so.0').symlink_to('gone')
    script.link_libquadmath(folder)
    assert (folder / 'libquadmath.so.0').read_bytes() == b'code'
    # The environment can be moved
    assert not os.path.isabs(os.readlink(str(folder / 'libquadmath.so.0')))


def test_library_that_does_not_load_is_named():
    script = load_script('load_mxnet')
    assert 'libnowhere.so.0' in script.load('libnowhere.so.0')
