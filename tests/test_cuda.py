"""Whether the libraries of MXNet's GPU wheels are found, in their order.

The libraries here are stand-ins: the order and the scope are looked at by
loading real, empty ones that a compiler makes.
"""

import importlib.metadata
import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest
from processes import run_python

from d2l_vgg import cuda


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder of packages in which the wheel for CUDA 11.7 is installed."""
    monkeypatch.syspath_prepend(str(tmp_path))
    info = tmp_path / 'mxnet_cu117-1.9.1.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text(
        'Metadata-Version: 2.1\nName: mxnet-cu117\nVersion: 1.9.1\n'
    )
    return tmp_path


@pytest.mark.skipif(shutil.which('cc') is None, reason='no C compiler')
def test_libraries_of_pip_are_loaded_each_after_what_it_needs(site):
    if sys.platform != 'linux':
        pytest.skip('only Linux has wheels for GPUs')
    # Each stand-in needs a function of the one before
    before = None
    for i, (package, library) in enumerate(cuda.LIBRARIES):
        folder = site / 'nvidia' / package / 'lib'
        folder.mkdir(parents=True, exist_ok=True)
        source = site / f'{i}.c'
        needs = f'int f{i - 1}(void);' if i else ''
        body = f'f{i - 1}() + 1' if i else '0'
        source.write_text(f'{needs} int f{i}(void) {{ return {body}; }}\n')
        command = ['cc', '-shared', '-fPIC', f'-Wl,-soname,{library}']
        command += [str(source), '-o', str(folder / library)]
        subprocess.run(command + ([str(before)] if i else []), check=True)
        # The loader could not find it by the path it was linked with
        before = folder / library
    code = (
        'import ctypes\n'
        'from d2l_vgg import cuda\n'
        # A second time does no harm
        'cuda.load_libraries()\n'
        'print(len(cuda.load_libraries()))\n'
        f'print(ctypes.CDLL(None).f{len(cuda.LIBRARIES) - 1}())'
    )
    number = len(cuda.LIBRARIES)
    told = run_python(code, PYTHONPATH=str(site)).split()
    assert told == [str(number), str(number - 1)]


def find_nvidia_in(folder, monkeypatch):
    spec = SimpleNamespace(submodule_search_locations=[str(folder)])
    monkeypatch.setattr(cuda.importlib.util, 'find_spec', lambda n: spec)


def test_libraries_of_the_system_are_left_to_it(site, monkeypatch):
    (site / 'nvidia' / 'cublas' / 'lib').mkdir(parents=True)
    damaged = site / 'nvidia' / 'cublas' / 'lib' / 'libcublas.so.11'
    damaged.write_bytes(b'half a downl')
    find_nvidia_in(site / 'nvidia', monkeypatch)
    assert cuda.load_libraries() == []


@pytest.mark.parametrize('wheel', ['mxnet-cu112', 'mxnet-cu117', 'mxnet'])
def test_libraries_are_loaded_for_the_wheels_of_gpus_only(wheel, monkeypatch):
    loaded = []
    find_nvidia_in('/nvidia', monkeypatch)
    monkeypatch.setattr(
        importlib.metadata,
        'distributions',
        lambda name: [name] if name == wheel else [],
    )
    monkeypatch.setattr(
        cuda.ctypes, 'CDLL', lambda path, mode: loaded.append(path)
    )
    assert cuda.load_libraries() == loaded
    names = [] if wheel == 'mxnet' else [name for _, name in cuda.LIBRARIES]
    assert list(map(os.path.basename, loaded)) == names
    # Nor without the packages of NVIDIA
    monkeypatch.setattr(cuda.importlib.util, 'find_spec', lambda name: None)
    assert cuda.load_libraries() == []


def test_import_of_mxnet_loads_them_first(tmp_path):
    (tmp_path / 'mxnet.py').write_text("print('mxnet')\nraise OSError")
    code = f"""
        import sys
        sys.path.insert(0, {str(tmp_path)!r})
        from d2l_vgg import cuda
        cuda.load_libraries = lambda: print('cuda')
        from d2l_vgg import compatibility; compatibility.prepare()
        try:
            import mxnet
        except OSError:
            pass
    """
    assert run_python(code).split() == ['cuda', 'mxnet']
