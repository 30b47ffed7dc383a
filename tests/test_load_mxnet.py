"""MXNet's library gets what it misses on this machine, without root."""

import ctypes
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from d2l_vgg import cuda

ROOT = Path(__file__).resolve().parent.parent
PATH = ROOT / 'scripts' / 'load_mxnet.py'


@pytest.fixture
def script():
    spec = importlib.util.spec_from_file_location('load_mxnet', PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path):
    """That of MXNet's module, among the packages."""
    (tmp_path / 'mxnet').mkdir()
    return tmp_path / 'mxnet'


def test_library_is_taken_out_of_a_wheel_that_pip_downloads(
    script, folder, monkeypatch
):
    asked = []

    def download(command):
        asked.extend(command)
        (place,) = [a[7:] for a in command if a.startswith('--dest=')]
        with zipfile.ZipFile(os.path.join(place, 'a.whl'), 'w') as archive:
            archive.writestr('scikit_learn.libs/libgomp-a3.so.1.0.0', b'code')
            archive.writestr('sklearn/__init__.py', b'')
        return 0

    monkeypatch.setattr(script.subprocess, 'call', download)
    path = folder / 'libgomp.so.1'
    path.symlink_to('gone')  # What an earlier set-up may have left
    assert script.provide(path) == 'scikit-learn==1.3.2'
    assert list(folder.iterdir()) == [path]
    assert not path.is_symlink() and path.read_bytes() == b'code'
    assert {'scikit-learn==1.3.2', '--no-deps'} <= set(asked)
    assert {'--only-binary=:all:', '--python-version=3.11'} <= set(asked)
    # Without a network it is not there, and nothing is left behind
    monkeypatch.setattr(script.subprocess, 'call', lambda command: 1)
    assert script.provide(folder / 'libquadmath.so.0') is None
    assert list(folder.iterdir()) == [path]


def test_libraries_of_arm_are_those_of_the_system(
    script, folder, monkeypatch
):
    source = script.provide(folder / 'libamath.so')
    assert re.fullmatch(r'/.*/libm\.so\.6', source)
    assert ctypes.CDLL(str(folder / 'libamath.so')).cos is not None
    monkeypatch.setitem(script.LIBRARIES, 'libastring.so', 'libnowhere.so.3')
    assert script.provide(folder / 'libastring.so') is None
    assert script.provide(folder / 'libnowhere.so.3') is None
    assert 'libnowhere.so.0' in script.load('libnowhere.so.0')


def test_library_of_mxnet_gets_what_it_misses_until_it_loads(
    script, folder, monkeypatch, capsys
):
    library = folder / 'libmxnet.so'
    asked, cuda_asked = [], []
    errors = iter(['libgomp.so.1: cannot open', 'libquadmath.so.0: no', None])
    monkeypatch.setattr(script, 'show', lambda place: None)
    monkeypatch.setattr(script, 'find_library', lambda: library)
    monkeypatch.setattr(
        script, 'load', lambda path: asked.append(path) or next(errors)
    )
    monkeypatch.setattr(
        script, 'provide', lambda path: f'the wheel of {path.name}'
    )
    # A GPU wheel loads only after the libraries of pip
    monkeypatch.setattr(
        cuda, 'load_libraries', lambda: cuda_asked.append(len(asked))
    )
    script.main()
    assert asked == [library] * 3 and cuda_asked == [0]
    assert capsys.readouterr().out.count('MXNet will use the lib') == 2
    # What stays missing is told by the system's name
    error = 'libarmpl_lp64_mp.so: cannot open'
    monkeypatch.setattr(script, 'load', lambda path: error)
    monkeypatch.setattr(script, 'provide', lambda path: None)
    with pytest.raises(SystemExit, match='libopenblas.so.0.*then try again'):
        script.main()


@pytest.mark.skipif(sys.platform != 'linux', reason='libmxnet.so is Linux')
def test_environment_sees_the_mxnet_of_the_system(tmp_path):
    """As in NVIDIA's container: a path entry without metadata."""
    pytest.importorskip('mxnet')
    site, env = tmp_path / 'opt' / 'python', tmp_path / 'env'
    (site / 'mxnet').mkdir(parents=True)
    installed = Path(importlib.util.find_spec('mxnet').origin)
    shutil.copy(installed.with_name('libinfo.py'), site / 'mxnet')
    # Any library that loads will do
    library = site / 'mxnet' / 'libmxnet.so'
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

    ask = (
        'from importlib.util import find_spec\n'
        'from d2l_vgg import machine\n'
        'found = find_spec("mxnet")\n'
        'if found and found.origin: import mxnet\n'
        'print(machine.versions("mxnet").get("mxnet"))'
    )
    assert python('-c', ask) == 'None'
    assert python(PATH, site) == ''
    assert python('-c', 'import mxnet; print(mxnet.__file__)') == str(
        site / 'mxnet' / '__init__.py'
    )
    assert python('-c', ask) == '1.9.1'
    # Without a place it is for a wheel again, of which there is none here
    python(PATH)
    assert python('-c', ask) == 'None'
    assert 'not whole' in python(PATH)
