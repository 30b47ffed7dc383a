"""How `make` finds a Python and sets itself up, without installing anything.

The real script runs on a path of fake Pythons: short shell scripts that
answer as a Python would and write down what they are asked to do.
"""

import ctypes
import importlib.metadata
import importlib.util
import os
import re
import runpy
import shutil
import socket
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest
from nvidia import put_mxnet
from packaging.specifiers import SpecifierSet

from d2l_vgg import cuda
from d2l_vgg.frameworks import CUDA_WHEELS

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

    def setup(self, *needs, **variables):
        return self.run('sh', 'scripts/setup_env.sh', *needs, **variables)

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
    assert line.startswith('setup: no Python 3.8 or newer')
    assert 'install one' in line and 'uv' in line
    assert not (project.root / '.venv').exists()


def test_unfit_pythons_are_refused_in_one_line(project):
    _, first, second = project.path
    project.add(first / 'python3.12', SHIM)
    project.add(first / 'python3.11', '#!/bin/sh\nexit 1\n')
    project.add(second / 'python3.8', FITTING, version='3.7')
    assert 'no Python 3.8 or newer' in project.refusal()
    assert project.done() == []


def test_what_a_python_lacks_is_named_with_its_package(project):
    project.add(project.path[1] / 'python3', LACKING)
    line = project.refusal()
    assert 'python3 lacks the module ensurepip' in line
    if os.path.exists('/etc/debian_version'):
        # The package that every Debian has, not one of a single version
        assert 'apt install python3-venv' in line


def test_nothing_is_made_where_mxnet_cannot_be_had(project):
    python = FITTING.replace(
        "'-m venv",
        "'-m d2l_vgg.platforms '*) echo 'setup: no build' >&2; exit 1 ;;\n"
        "'-m venv",
    )
    project.add(project.path[1] / 'python3.11', python)
    assert project.refusal() == 'setup: no build'
    assert not (project.root / '.venv').exists()
    assert project.done() == []


def test_python_behind_a_broken_shim_is_found(project):
    _, first, second = project.path
    project.add(first / 'python3.12', SHIM)
    python = project.add(second / 'python3.12', FITTING, version='3.12')
    status, lines = project.setup()
    assert status == 0
    assert lines[0] == f'setup: making .venv with {python} (Python 3.12)'


def test_newest_that_is_tested_is_taken_first(project):
    versions = project.home / '.pyenv' / 'versions'
    for name in ('3.8.18', '3.11.7', '3.13.0', '3.14.1'):
        version = name.rpartition('.')[0]
        path = versions / name / 'bin' / f'python{version}'
        project.add(path, FITTING, version)
    _, lines = project.setup()
    assert f'{versions}/3.13.0/bin/python3.13' in lines[0]
    shutil.rmtree(project.root / '.venv')
    # Those of the path come before those of pyenv
    on_path = project.add(project.path[1] / 'python3.9', FITTING, '3.9')
    _, lines = project.setup()
    assert f'{on_path} (Python 3.9)' in lines[0]


@pytest.mark.parametrize('name', ['python3.15', 'python3'])
def test_python_that_was_not_tried_is_taken_with_a_word(project, name):
    project.add(project.path[1] / name, FITTING, '3.15')
    status, lines = project.setup()
    assert status == 0
    assert f'{name} (Python 3.15)' in lines[0]
    assert 'Python 3.15 has not been tried' in lines[1]
    done = '\n'.join(project.done())
    # Nothing is pinned that may have no build for it
    assert '--constraint' not in done and '--editable' in done


def test_uv_is_asked_last(project):
    python = project.add(
        project.home / 'uv' / 'python3.13', FITTING, version='3.13'
    )
    uv = f'#!/bin/sh\necho "uv $*" >>LOG\n[ "$2" != find ] || echo {python}\n'
    project.add(project.path[1] / 'uv', uv)
    status, lines = project.setup()
    assert status == 0
    assert f'{python} (Python 3.13)' in lines[0]
    assert project.done()[:2] == [
        'uv python install 3.13',
        'uv python find 3.13',
    ]


def test_uv_without_network_is_not_asked_for_again(project):
    uv = '#!/bin/sh\necho "error: dns" >&2\nexit 1\n'
    project.add(project.path[1] / 'uv', uv)
    status, lines = project.setup()
    assert status == 1
    assert lines[0] == 'error: dns' and len(lines) == 2
    assert 'uv could not download Python 3.13' in lines[1]
    assert 'docs.astral.sh' not in lines[1]


def test_variable_asks_for_one_python_and_no_other(project):
    _, first, second = project.path
    project.add(first / 'python3.11', FITTING, '3.11')
    old = project.add(second / 'python3.9', FITTING, '3.9')
    older = project.add(second / 'python3.7', FITTING, '3.7')
    for asked in (str(older), 'python3.7', '3.7', '3.12', str(first)):
        line = project.refusal(PYTHON=asked)
        assert line.startswith(f'setup: PYTHON={asked}: no such Python 3.8')
    for asked in (str(old), 'python3.9', '3.9'):
        shutil.rmtree(project.root / '.venv', ignore_errors=True)
        _, lines = project.setup(PYTHON=asked)
        assert 'python3.9 (Python 3.9)' in lines[0]


def test_second_call_skips_what_is_done(project):
    project.add(project.path[1] / 'python3.11', FITTING)
    assert project.setup()[0] == 0
    done = '\n'.join(project.done())
    assert 'constraints/py311.txt' in done
    assert '--editable .[mxnet-needs]' in done
    # Without the NumPy and the Jupyter that their own lists ask for
    assert '--no-deps mxnet==1.9.1 d2l==1.0.3' in done
    assert 'scripts/load_mxnet.py' in done

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


def test_each_target_installs_what_it_needs_once(project):
    project.add(project.path[1] / 'python3.13', FITTING, '3.13')
    for need, extras in [
        ('test', 'mxnet-needs,test'),
        ('chapter', 'mxnet-needs,book'),
        ('notebook', 'mxnet-needs,book,notebook'),
        ('lint', 'mxnet-needs,lint'),
    ]:
        status, lines = project.setup(need)
        assert status == 0 and lines[-1].endswith(need)
        assert f'--editable .[{extras}]' in '\n'.join(project.done())
    # What has been installed is remembered, all of it
    for needs in ([], ['test'], ['chapter', 'lint'], ['notebook']):
        assert project.setup(*needs) == (0, [])
    assert project.done() == []
    assert 'nothing to set up for' in project.setup('tests')[1][0]


def test_targets_ask_for_what_they_use(project):
    makefile = (ROOT / 'Makefile').read_text()
    asked = dict(
        re.findall(r'^([a-z]+):.*\n\t@\$\(set_up\)(.*)$', makefile, re.M)
    )
    assert asked == {
        'setup': '',
        'run': '',
        'bench': '',
        'doctor': '',
        'test': ' test',
        'chapter': ' chapter',
        'slides': ' chapter',
        'pdf': ' chapter',
        'notebook': ' notebook',
        'lint': ' lint',
        'format': ' lint',
    }


def test_offline_machine_goes_on_with_what_it_has(project):
    # A pip that has no network once LOG.offline is there
    python = FITTING.replace(
        "'-m venv",
        "'-m pip'*) echo \"$*\" >>LOG; [ ! -e LOG.offline ] ;;\n'-m venv",
    )
    project.add(project.path[1] / 'python3.13', python, '3.13')
    assert project.setup('test')[0] == 0
    Path(f'{project.log}.offline').touch()
    assert project.setup('test') == (0, [])
    # Something has changed since
    with open(project.root / 'setup.py', 'a') as file:
        file.write('\n')
    status, lines = project.setup('test')
    assert status == 0
    assert 'could not be brought up to date' in lines[-1]
    # What was never installed cannot be done without
    status, lines = project.setup('chapter')
    assert status == 1 and 'needs the network once' in lines[-1]
    # And another wheel of MXNet is not the one that is there
    status, lines = project.setup('test', MXNET='cu117')
    assert status == 1


def test_variable_asks_for_the_wheel_of_a_gpu(project):
    project.add(project.path[1] / 'python3.11', FITTING)
    refused = project.refusal(MXNET='cu118')
    assert 'choose cpu, cu112 or cu117, or system' in refused
    assert project.setup()[0] == 0
    assert 'uninstall' not in '\n'.join(project.done())
    assert project.setup(MXNET='cu117')[0] == 0
    asked = [line for line in project.done() if '-m pip' in line]
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
    project.add(project.path[1] / 'python3.13', FITTING, '3.13')
    project.add(project.path[1] / 'python3.12', FITTING, '3.12')
    project.setup()
    project.done()
    assert project.setup(PYTHON='3.12')[0] == 0
    done = '\n'.join(project.done())
    assert 'venv .venv with' in done
    assert 'constraints/py312.txt' in done
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


# The NumPy of each Python: d2l's own, the last NumPy 1, one of today
NUMPY = {
    **dict.fromkeys(['py38', 'py39', 'py310', 'py311'], '1.23.5'),
    'py312': '1.26.4',
    'py313': '2.4.6',
    'py314': '2.4.6',
    'frameworks-py311': '2.4.6',
    'frameworks-py312': '2.4.6',
}
TORCH, JAX = {'torch'}, {'jax', 'flax', 'optax'}
TENSORFLOW = {'tensorflow', 'tensorflow-cpu', 'keras'}
# Which of the other frameworks are pinned
OTHERS = {
    'py313': TORCH | JAX | TENSORFLOW,
    'py314': TORCH | JAX,  # TensorFlow has no release for it
    'frameworks-py311': TORCH | JAX | TENSORFLOW,
    'frameworks-py312': TORCH | JAX | TENSORFLOW,
}

# What is asked for on some Pythons only
NOT_EVERYWHERE = {
    'standard-imghdr': set(NUMPY) - {'py313', 'py314'},
    'axe-core-python': {'py38', 'py39'},
}


@pytest.mark.parametrize('version', NUMPY)
def test_constraints_are_exact_versions_of_published_packages(version):
    text = (ROOT / 'constraints' / f'{version}.txt').read_text()
    pins = [line for line in text.splitlines() if not line.startswith('#')]
    assert all(re.match(r'^[\w.-]+==[\w.]+$', pin) for pin in pins)
    names = [normal(pin.partition('==')[0]) for pin in pins]
    assert len(names) == len(set(names))
    # Everything that the package asks for by name, in its extras, too; the
    # two that come without their lists of needs have one version, in setup.py
    for needed in importlib.metadata.requires('d2l-vgg'):
        name = normal(re.match(r'[\w.-]+', needed).group())
        if name.startswith(('mxnet', 'nvidia-')) or name == 'd2l':
            assert name not in names
        elif name in TORCH | JAX | TENSORFLOW:
            assert (name in names) == (name in OTHERS.get(version, ())), name
        else:
            assert (name in names) == (
                version not in NOT_EVERYWHERE.get(name, ())
            )
    assert f'numpy=={NUMPY[version]}' in pins


def test_all_name_the_same_pythons(monkeypatch):
    setuptools = pytest.importorskip('setuptools')
    told = {}
    monkeypatch.setattr(setuptools, 'setup', lambda **said: told.update(said))
    runpy.run_path(str(ROOT / 'setup.py'))
    minors = sorted(
        int(path.stem[3:]) for path in (ROOT / 'constraints').glob('py3*.txt')
    )
    first, last = minors[0], minors[-1]
    assert minors == list(range(first, last + 1))
    assert told['python_requires'] == f'>=3.{first}'
    assert told['classifiers'] == [
        'Programming Language :: Python :: 3',
        *(f'Programming Language :: Python :: 3.{x}' for x in minors),
    ]
    tools = (ROOT / 'pyproject.toml').read_text()
    assert f"\ntarget-version = 'py3{first}'" in tools
    script = (ROOT / 'scripts' / 'setup_env.sh').read_text()
    assert f'sys.version_info < (3, {first})' in script
    oldest = min(
        int(path.stem.partition('py3')[2])
        for path in (ROOT / 'constraints').glob('*.txt')
        if '\ntorch==' in path.read_text()
    )
    assert f'= mxnet ] || oldest=3.{oldest}\n' in script
    assert f'(3.{first} to' in script and f"'3.{last} have)" in script
    assert f'Python 3.{first} to 3.{last}' in (ROOT / 'README.md').read_text()


def test_what_is_installed_is_for_every_release_of_this_python():
    """soupsieve 4.1.2 asks for Python 3.11.5; Debian 12 has 3.11.2."""
    major, minor = sys.version_info[:2]
    pins = ROOT / 'constraints' / f'py{major}{minor}.txt'
    if not pins.exists():
        pytest.skip('nothing is pinned for this Python')
    pinned = {
        line.partition('==')[0] for line in pins.read_text().split('\n')
    }
    checked = 0
    for package in importlib.metadata.distributions():
        asked = package.metadata.get('Requires-Python')
        if normal(package.metadata['Name']) in pinned and asked:
            checked += 1
            assert SpecifierSet(asked).contains(f'{major}.{minor}.0'), (
                package.metadata['Name']
            )
    assert checked > 20


def normal(name):
    """Return the name of a package as PyPI compares it."""
    return re.sub(r'[-_.]+', '-', name).lower()


def load_script(name):
    path = ROOT / 'scripts' / f'{name}.py'
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    'name, libs',
    [
        ('libquadmath.so.0', 'numpy.libs'),
        ('libgomp.so.1', 'scikit_learn.libs'),
    ],
)
def test_missing_library_is_taken_from_an_installed_wheel(
    tmp_path, monkeypatch, name, libs
):
    script = load_script('load_mxnet')
    monkeypatch.setattr(script, 'extract', lambda *args: None)
    folder = tmp_path / 'mxnet'
    folder.mkdir()
    # The wheel has no copy: nothing is linked, and the library stays missing
    assert script.provide(name, folder) is None
    assert list(folder.iterdir()) == []
    stem = name.partition('.')[0]
    copy = tmp_path / libs / f'{stem}-96973f99.so.0.0.0'
    copy.parent.mkdir()
    copy.write_bytes(b'code')
    # An earlier NumPy, whose copy had another name, may have left a link
    (folder / name).symlink_to('gone')
    assert script.provide(name, folder) is not None
    assert (folder / name).read_bytes() == b'code'
    # The environment can be moved
    assert not os.path.isabs(os.readlink(str(folder / name)))


def test_library_is_taken_out_of_a_wheel_that_pip_downloads(
    tmp_path, monkeypatch
):
    script = load_script('load_mxnet')
    asked = []

    def download(command):
        asked.append(command)
        (folder,) = [a[7:] for a in command if a.startswith('--dest=')]
        with zipfile.ZipFile(os.path.join(folder, 'a.whl'), 'w') as archive:
            archive.writestr('scikit_learn.libs/libgomp-a3.so.1.0.0', b'code')
            archive.writestr('sklearn/__init__.py', b'')
        return 0

    monkeypatch.setattr(script.subprocess, 'call', download)
    folder = tmp_path / 'mxnet'
    folder.mkdir()
    assert script.provide('libgomp.so.1', folder) == 'scikit-learn==1.3.2'
    assert [path.name for path in folder.iterdir()] == ['libgomp.so.1']
    assert (folder / 'libgomp.so.1').read_bytes() == b'code'
    assert 'scikit-learn==1.3.2' in asked[0] and '--no-deps' in asked[0]
    # Without a network it is not there, and nothing is left behind
    monkeypatch.setattr(script.subprocess, 'call', lambda command: 1)
    assert script.provide('libquadmath.so.0', folder) is None
    assert [path.name for path in folder.iterdir()] == ['libgomp.so.1']


def test_libraries_of_arm_are_those_of_the_system(tmp_path, monkeypatch):
    script = load_script('load_mxnet')
    folder = tmp_path / 'mxnet'
    folder.mkdir()
    source = script.provide('libamath.so', folder)
    assert re.fullmatch(r'/.*/libm\.so\.6', str(source))
    assert ctypes.CDLL(str(folder / 'libamath.so')).cos is not None
    monkeypatch.setitem(script.LIBRARIES, 'libastring.so', 'libnowhere.so.3')
    assert script.provide('libastring.so', folder) is None
    assert script.provide('libnowhere.so.3', folder) is None


def test_library_that_does_not_load_is_named():
    script = load_script('load_mxnet')
    assert 'libnowhere.so.0' in script.load('libnowhere.so.0')


# What stands for pip once LOG.offline is there
OFFLINE = FITTING.replace(
    "'-m venv",
    "'-m pip --disable-pip-version-check') "
    'echo "$*" >>LOG; [ ! -e LOG.offline ] ;;\n\'-m venv',
)


@pytest.fixture
def offline(project):
    """Call it, and pip finds no network from then on."""
    for version in ('3.13', '3.12'):
        project.add(project.path[1] / f'python{version}', OFFLINE, version)
    assert project.setup('test')[0] == 0
    project.done()
    return Path(f'{project.log}.offline').touch


def test_environment_made_anew_is_not_taken_for_what_it_was(project, offline):
    python = project.root / '.venv' / 'bin' / 'python'
    python.unlink()
    status, lines = project.setup('test')
    assert status == 0 and lines[1].endswith('is needed for mxnet test')
    assert project.setup('test') == (0, [])
    offline()
    python.unlink()
    for variables in ({}, {'PYTHON': '3.12'}):
        status, lines = project.setup('test', **variables)
        assert status == 1 and 'needs the network once' in lines[-1]


def test_python_that_was_upgraded_in_place_has_nothing(project, offline):
    python = project.root / '.venv' / 'bin' / 'python'
    python.write_text(python.read_text().replace('3.13', '3.14'))
    offline()
    assert project.setup('test')[0] == 1


def test_wheel_stays_until_the_other_has_come(project, offline):
    offline()
    status, lines = project.setup('test', MXNET='cu112')
    assert status == 1 and 'needs the network once' in lines[-1]
    assert 'uninstall' not in '\n'.join(project.done())
    assert project.setup('test') == (0, [])


def test_wheel_of_a_half_written_file_is_that_of_the_cpu(project, offline):
    (project.root / '.venv' / 'mxnet_wheel').write_text('')  # A full disk
    assert project.setup('test') == (0, [])


@pytest.mark.parametrize('changed', [
    'constraints/py313.txt', 'setup.py', 'scripts/setup_env.sh',
    'scripts/load_mxnet.py',
])  # fmt: skip
def test_any_change_of_what_is_installed_installs(project, offline, changed):
    with open(project.root / changed, 'a') as file:
        file.write('\n')
    assert project.setup('test')[0] == 0
    done = '\n'.join(project.done())
    assert '-m ensurepip' in done
    assert re.search('--constraint .* --no-build-isolation --editable', done)
    assert '--use-pep517' in done


def test_a_project_that_was_moved_installs_anew(project, offline):
    project.root = project.root.rename(project.root.parent / 'my project')
    assert project.setup('test')[0] == 0
    assert '--editable' in '\n'.join(project.done())


def test_library_that_does_not_load_is_tried_again(project):
    failing = FITTING.replace(
        '*) echo "$', "'scripts/load_mxnet.py '*) exit 1 ;;\n*) echo \"$"
    )
    project.add(project.path[1] / 'python3.13', failing, '3.13')
    for _ in range(2):
        status, lines = project.setup()
        assert status == 1 and 'installing' in lines[-1]


def test_paths_may_hold_blanks(project):
    path = project.path[1] / 'a b' / 'python3.13'
    project.add(path, FITTING, '3.13')
    assert project.setup(PYTHON=str(path), VENV='my env')[0] == 0
    assert project.setup(VENV='my env') == (0, [])
    assert not (project.root / 'my').exists()


def test_script_can_be_called_from_anywhere(project):
    project.add(project.path[1] / 'python3.13', FITTING, '3.13')
    (project.home / 'scripts').mkdir()
    script = project.root / 'scripts' / 'setup_env.sh'
    status, _ = project.run('sh', '-c', f'cd / && sh "{script}"')
    assert status == 0 and (project.root / '.venv').exists()
    assert project.run(
        'sh', 'scripts/setup_env.sh', CDPATH=str(project.home)
    ) == (0, [])


def test_settings_of_other_installations_are_not_heeded(project):
    noting = FITTING.replace(
        "'-m venv",
        '\'-m pip \'*) echo "<$PIP_USER${PIP_TARGET:-}${PYTHONHOME:-}>" '
        ">>LOG ;;\n'-m venv",
        1,
    )
    noting = noting.replace(
        "'-m pip '*", "'-m pip --disable-pip-version-check'"
    )
    project.add(project.path[1] / 'python3.13', noting, '3.13')
    project.setup(PIP_USER='1', PIP_TARGET='/away', PYTHONHOME='/usr')
    assert project.done().count('<0>') == 3


def test_python_of_pyenv_elsewhere_and_of_every_version_is_found(project):
    for version in ('3.14', '3.12', '3.11', '3.10'):
        root = project.home / version
        project.add(
            root / 'versions' / 'a' / 'bin' / f'python{version}',
            FITTING,
            version,
        )
        _, lines = project.setup(PYENV_ROOT=str(root))
        assert f'(Python {version})' in lines[0]
        shutil.rmtree(project.root / '.venv')
    project.add(project.path[1] / 'python3.11', FITTING, '3.11')
    project.add(project.path[1] / 'python3.12', FITTING, '3.12')
    assert '(Python 3.12)' in project.setup()[1][0]


def test_python_that_reads_its_input_hides_no_other(project):
    project.add(
        project.path[1] / 'python3.13',
        '#!/bin/sh\nwhile read -r x; do :; done\nexit 1\n',
    )
    project.add(project.path[2] / 'python3.12', FITTING, '3.12')
    assert '(Python 3.12)' in project.setup()[1][0]


def test_uv_is_not_asked_where_a_python_fits(project):
    project.add(
        project.path[1] / 'uv',
        '#!/bin/sh\necho "uv $* $UV_PYTHON_PREFERENCE" >>LOG\nexit 1\n',
    )
    project.add(project.path[1] / 'python3.9', FITTING, '3.9')
    assert project.setup()[0] == 0
    assert not any(line.startswith('uv ') for line in project.done())
    project.setup(PYTHON='3.12')
    assert project.done() == ['uv python install 3.12 only-managed']


def test_python_3_7_is_too_old(project):
    """The script's own question, put to a true Python that says it is 3.7."""
    code = 'import sys; sys.version_info = (3, 7, 9); exec(sys.argv[1])'
    project.add(
        project.path[1] / 'python3.8',
        f'#!/bin/sh\nexec {sys.executable} -c "{code}" "$2"\n',
    )
    assert 'no Python 3.8 or newer' in project.refusal()


def test_a_python_that_is_not_there_lacks_nothing(project):
    assert 'lacks' not in project.refusal()


def test_both_wheels_of_gpus_have_their_names(project):
    project.add(project.path[1] / 'python3.11', FITTING)
    assert project.setup(MXNET='cu112')[0] == 0
    assert '--no-deps mxnet-cu112==1.9.1' in '\n'.join(project.done())


def test_an_mxnet_that_pip_did_not_install_is_left_as_it_is(project):
    python = project.path[1] / 'python3.11'
    project.add(python, FITTING)
    assert 'which has none' in project.refusal(MXNET='system')
    assert not (project.root / '.venv').exists()
    there = FITTING.replace(
        "'-c import '*) ;;",
        "'-c import os'*) echo /opt/mx ;;\n'-c import '*) ;;",
    )
    project.add(python, there)
    assert project.setup()[0] == 0
    project.done()
    assert project.setup(MXNET='system')[0] == 0
    done = '\n'.join(project.done())
    # No wheel of another time beside it, and none over it
    assert 'uninstall --yes -qq mxnet mxnet-cu112' in done
    assert 'mxnet==' not in done and '--no-deps d2l==1.0.3' in done
    assert '--editable .[mxnet-needs]' in done
    assert 'scripts/load_mxnet.py /opt/mx' in done
    # And it stays when no wheel is asked for
    assert project.setup() == (0, [])


@pytest.mark.skipif(sys.platform != 'linux', reason='libmxnet.so is Linux')
def test_an_environment_sees_the_mxnet_of_the_system(tmp_path):
    """As in NVIDIA's container: a path entry without metadata."""
    site, env = tmp_path / 'opt' / 'python', tmp_path / 'env'
    put_mxnet(site)
    # Any library that loads will do
    library = site / 'mxnet' / 'libmxnet.so'
    library.unlink()
    shutil.copy(next(Path(sys.base_prefix).glob('lib/**/*.so')), library)
    (site / 'mxnet' / '__init__.py').write_text('__version__ = "1.9.1"')
    subprocess.run([sys.executable, '-m', 'venv', '--without-pip', env],
                   check=True)  # fmt: skip

    def python(*args):
        return subprocess.run(
            [env / 'bin' / 'python', *args],
            env={**os.environ, 'PYTHONPATH': str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ).stdout.strip()

    load = ROOT / 'scripts' / 'load_mxnet.py'
    ask = (
        'import mxnet\n'
        'from d2l_vgg import machine\n'
        'print(machine.versions("mxnet").get("mxnet"), bool(mxnet))'
    )
    assert python('-c', ask) == 'None False'
    assert python(load, site) == ''
    assert python('-c', 'import mxnet; print(mxnet.__file__)') == str(
        site / 'mxnet' / '__init__.py'
    )
    assert python('-c', ask) == '1.9.1 True'
    # Without a place it is for a wheel again, of which there is none here
    python(load)
    assert python('-c', ask) == 'None False'
    assert 'not whole' in python(load)


def test_targets_use_the_environment_that_was_asked_for(project):
    def commands(target, *args, **variables):
        return '\n'.join(
            project.run('make', '-n', target, *args, **variables)[1]
        )

    assert '"my env/bin/python" -m pytest -q -k vgg' in commands(
        'test', 'ARGS=-k vgg', VENV='my env'
    )
    run = commands('run', 'ARGS=--seed 1')
    assert '".venv/bin/d2l-vgg" train --framework $framework' in run
    assert '--experiment quick --seed 1' in run
    assert 'PATH="$(' in commands('notebook') or 'PATH="/' in commands(
        'notebook'
    )
    removed = commands('clean').split()
    assert (
        '.venv' in removed and 'runs' not in removed and 'data' not in removed
    )
    assert '.NOTPARALLEL' in (ROOT / 'Makefile').read_text()


def test_library_of_mxnet_is_mended_until_it_loads(
    tmp_path, monkeypatch, capsys
):
    script = load_script('load_mxnet')
    (tmp_path / 'mxnet').mkdir()
    (tmp_path / 'mxnet' / '__init__.py').write_text('this is not imported')
    library = tmp_path / 'mxnet' / 'libmxnet.so'
    library.touch()
    monkeypatch.setattr(sys, 'path', [str(tmp_path), *sys.path])
    monkeypatch.setattr(script.sysconfig, 'get_path', lambda n: tmp_path)
    monkeypatch.delitem(sys.modules, 'mxnet', raising=False)
    asked, cuda_asked = [], []
    errors = iter(['libgomp.so.1: cannot open', 'libquadmath.so.0: no', None])
    monkeypatch.setattr(
        script, 'load', lambda path: asked.append(path) or next(errors)
    )
    monkeypatch.setattr(
        script, 'provide', lambda name, folder: f'the wheel of {name}'
    )
    # A GPU wheel loads only after the libraries of pip
    monkeypatch.setattr(
        cuda, 'load_libraries', lambda: cuda_asked.append(len(asked))
    )
    script.main()
    assert asked == [library] * 3 and cuda_asked == [0]
    assert capsys.readouterr().out.count('MXNet will use the lib') == 2
    # What does not help is not tried again, and the system's name is told
    for provided, error, told in [
        ('given', 'libgomp.so.1: bad', 'libgomp'),
        (None, 'libarmpl_lp64_mp.so: cannot open', 'libopenblas.so.0'),
    ]:
        monkeypatch.setattr(script, 'load', lambda path, e=error: e)
        monkeypatch.setattr(script, 'provide', lambda *a, p=provided: p)
        with pytest.raises(SystemExit, match=told) as stopped:
            script.main()
        assert 'then try again' in str(stopped.value)


def test_download_asks_for_a_wheel_of_python_3_11(tmp_path, monkeypatch):
    script = load_script('load_mxnet')
    asked = []
    monkeypatch.setattr(
        script.subprocess, 'call', lambda c: asked.extend(c) or 1
    )
    script.provide('libgomp.so.1', tmp_path)
    assert {'--only-binary=:all:', '--python-version=3.11'} <= set(asked)
    monkeypatch.setattr(
        script.subprocess,
        'run',
        lambda *a, **k: (_ for _ in ()).throw(FileNotFoundError),
    )
    assert script.path_of('libm.so.6') is None


def required(extra):
    return {
        re.match(r'[\w.-]+', line).group()
        for line in importlib.metadata.requires('d2l-vgg')
        if re.search(rf'extra == .{extra}.', line)
    }


def test_extras_hold_what_the_wheels_need():
    assert required('mxnet-needs') >= {'graphviz', 'pandas'}
    folders = {folder for folder, _ in cuda.LIBRARIES}
    packages = {f'nvidia-{f.replace("_", "-")}-cu11' for f in folders}
    assert required('cuda-11') == packages
    for wheel in CUDA_WHEELS:
        assert required(wheel[6:]) >= packages | {wheel, 'd2l', 'pandas'}


def test_environment_of_somebody_else_is_not_emptied(project):
    project.add(project.path[1] / 'python3.13', FITTING, '3.13')
    theirs = project.root / 'theirs'
    theirs.mkdir()
    (theirs / 'pyvenv.cfg').touch()
    assert 'theirs is no virtual environment' in project.refusal(
        VENV='theirs'
    )
    assert (theirs / 'pyvenv.cfg').exists()
    (project.root / 'empty').mkdir()  # As a volume of Docker is at first
    assert project.setup(VENV='empty')[0] == 0


@pytest.mark.parametrize(
    'framework, extras',
    [
        ('torch', 'torch'),
        ('pytorch', 'torch'),
        ('tensorflow', 'tensorflow'),
        ('jax', 'jax'),
    ],
)
def test_one_framework_is_installed_without_the_others(
    project, framework, extras
):
    project.add(project.path[1] / 'python3.11', FITTING)
    assert project.setup('test', FRAMEWORK=framework)[0] == 0
    done = '\n'.join(project.done())
    assert f'--editable .[{extras},test]' in done
    # With pins of their own, where those of MXNet have the NumPy of d2l
    assert '--constraint constraints/frameworks-py311.txt' in done
    assert 'mxnet==' not in done and 'load_mxnet' not in done
    assert project.setup('test', FRAMEWORK=framework) == (0, [])
    used = project.root / '.venv' / 'frameworks'
    assert used.read_text() == f'{extras}\n'
    # MXNet has not been installed by that, and can come to it
    assert project.setup('test')[0] == 0
    done = '\n'.join(project.done())
    assert '--no-deps mxnet==1.9.1' in done and 'load_mxnet' in done
    assert 'constraints/py311.txt' not in done
    assert used.read_text() == 'mxnet\n'
    for variables in ({}, {'FRAMEWORK': framework}):
        assert project.setup('test', **variables) == (0, [])


def test_all_frameworks_are_installed_together(project):
    project.add(project.path[1] / 'python3.13', FITTING, '3.13')
    assert project.setup(FRAMEWORK='all')[0] == 0
    done = '\n'.join(project.done())
    assert '--editable .[mxnet-needs,torch,tensorflow,jax]' in done
    assert '--no-deps mxnet==1.9.1' in done and 'load_mxnet' in done
    for framework in ('mxnet', 'torch', 'tensorflow', 'jax', 'all', ''):
        assert project.setup(FRAMEWORK=framework) == (0, [])


def test_unknown_framework_is_one_sentence(project):
    project.add(project.path[1] / 'python3.13', FITTING, '3.13')
    line = project.refusal(FRAMEWORK='keras')
    assert line.startswith('setup: FRAMEWORK=keras is no framework: choose')
    assert project.done() == [] and not (project.root / '.venv').exists()


def test_what_is_there_moves_to_the_pins_of_a_framework_that_comes(project):
    project.add(project.path[1] / 'python3.11', FITTING)
    project.setup('test')
    assert 'constraints/py311.txt' in '\n'.join(project.done())
    status, lines = project.setup(FRAMEWORK='jax')
    assert status == 0 and lines[-1].endswith('needed for jax mxnet test')
    done = '\n'.join(project.done())
    assert '--editable .[jax,mxnet-needs,test]' in done
    assert 'constraints/py311.txt' not in done
    assert project.setup('test') == (0, [])
    # Where there is one NumPy for all, only the new one is installed
    project.add(project.path[1] / 'python3.13', FITTING, '3.13')
    project.setup('test', PYTHON='3.13')
    project.done()
    project.setup(FRAMEWORK='jax')
    assert '--editable .[jax]' in '\n'.join(project.done())


def test_python_is_one_that_has_the_framework(project):
    _, first, second = project.path
    project.add(first / 'python3.10', FITTING, '3.10')
    assert 'no Python 3.11 or newer' in project.refusal(FRAMEWORK='torch')
    project.add(second / 'python3.14', FITTING, '3.14')
    assert 'no Python 3.11 or newer' in project.refusal(FRAMEWORK='all')
    line = project.refusal(FRAMEWORK='torch', PYTHON='3.10')
    assert line.startswith('setup: for Python 3.10 there is no torch that')
    assert project.setup(FRAMEWORK='torch')[1][0].endswith('(Python 3.14)')
    project.done()
    line = project.refusal(FRAMEWORK='tensorflow')
    assert 'Python 3.14 there is no tensorflow' in line
    assert 'PYTHON=3.13' in line and 'if .venv is to stay' in line
    assert project.done() == []
    # MXNet has any
    shutil.rmtree(project.root / '.venv')
    assert project.setup()[1][0].endswith('(Python 3.10)')


# One on a machine that MXNet has no build for, and PyTorch has
WITHOUT_MXNET = FITTING.replace(
    "'-m venv",
    "'-m d2l_vgg.platforms ') echo 'setup: PyTorch is used'; exit 3 ;;\n"
    "'-m d2l_vgg.platforms mxnet') echo 'setup: no build' >&2; exit 1 ;;\n"
    "'-m venv",
)


def test_where_mxnet_has_no_build_pytorch_is_used(project):
    project.add(project.path[1] / 'python3.10', WITHOUT_MXNET, '3.10')
    assert 'no Python 3.11' in project.setup()[1][-1]
    project.add(project.path[1] / 'python3.13', WITHOUT_MXNET, '3.13')
    status, lines = project.run('make', 'run')
    assert status == 0 and lines[0] == 'setup: PyTorch is used'
    *done, trained = project.done()
    assert 'd2l-vgg train --framework torch --experiment quick' in trained
    assert '--editable .[torch]' in '\n'.join(done)
    assert 'mxnet==' not in '\n'.join(done)
    # It is said each time, and nothing else is done again
    status, lines = project.run('make', 'run')
    assert lines == ['setup: PyTorch is used']
    assert project.done() == [trained]
    # Who asks for MXNet does not get another
    for framework in ('mxnet', 'all'):
        assert project.refusal(FRAMEWORK=framework) == 'setup: no build'


def test_targets_use_the_framework_that_was_asked_for(project):
    project.add(project.path[1] / 'python3.13', FITTING, '3.13')

    def commands(*args):
        status, _ = project.run('make', *args)
        assert status == 0
        return [
            line
            for line in project.done()
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
    tabs = {'torch': 'pytorch', 'jax': 'jax', '': 'mxnet'}
    for framework, tab in tabs.items():
        assert commands('notebook', f'FRAMEWORK={framework}')[1] == (
            f'jupyter lab notebooks/{tab}/vgg.ipynb'
        )
    # The first that fails is the last
    failing = project.root / '.venv' / 'bin' / 'd2l-vgg'
    failing.write_text(failing.read_text() + 'exit 1\n')
    status, _ = project.run('make', 'run', 'FRAMEWORK=all')
    assert status != 0 and len(project.done()) == 1


CPU_INDEX = '--index-url https://download.pytorch.org/whl/cpu torch'


def asked_of_pip(project, **variables):
    """Set up PyTorch; return the calls of pip but that for setuptools."""
    status, lines = project.setup(FRAMEWORK='torch', **variables)
    assert status == 0 and len(lines) == 2, lines
    return [line for line in project.done() if '-m pip' in line][1:]


def test_pytorch_comes_without_cuda_where_there_is_no_gpu(project):
    python = project.add(project.path[1] / 'python3.13', FITTING, '3.13')
    first, then = asked_of_pip(project)
    assert first.endswith(CPU_INDEX) and '--no-deps' in first
    assert '--constraint constraints/py313.txt' in first
    assert then.endswith('--editable .[torch]') and 'index' not in then

    # From elsewhere, or as pip does by itself
    shutil.rmtree(project.root / '.venv')
    first, _ = asked_of_pip(project, TORCH_INDEX='file:///wheels')
    assert first.endswith('--index-url file:///wheels torch')
    shutil.rmtree(project.root / '.venv')
    assert len(asked_of_pip(project, TORCH_INDEX='')) == 1
    # With a GPU, too
    project.add(project.path[1] / 'nvidia-smi', '#!/bin/sh\n')
    shutil.rmtree(project.root / '.venv')
    assert len(asked_of_pip(project)) == 1
    # Its driver may be gone
    project.add(project.path[1] / 'nvidia-smi', '#!/bin/sh\nexit 9\n')
    shutil.rmtree(project.root / '.venv')
    assert len(asked_of_pip(project)) == 2

    # An index without what is needed: that of this project is passed over
    text = python.read_text().replace(
        "'-m venv",
        '\'-m pip --dis\'*) echo "$*" >>LOG\n'
        "    case $* in *--index-url*) exit 1 ;; esac ;;\n'-m venv",
    )
    project.add(python, text)
    shutil.rmtree(project.root / '.venv')
    assert len(asked_of_pip(project)) == 2
    # That of the user is not
    shutil.rmtree(project.root / '.venv')
    status, lines = project.setup(
        FRAMEWORK='torch', TORCH_INDEX='file:///wheels'
    )
    assert status == 1 and 'pip could not install' in lines[-1]


@pytest.mark.skipif(sys.platform != 'linux', reason='asked on Linux only')
@pytest.mark.parametrize('answer', ['200 OK', '404 Not Found', None])
def test_an_index_that_does_not_answer_at_once_is_not_waited_for(
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
    project.add(project.path[1] / 'python3.13', asking, '3.13')

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
