"""Which MXNet is installed, and the versions told of one without pip."""

import json
import os

import pytest
from nvidia import put_mxnet
from processes import ROOT, run_python

CODE = """
    import json, sys
    sys.path[:] = {path!r}
    from d2l_vgg import wheels
    found = wheels.find()
    print(json.dumps([found and found._asdict(), wheels.versions('mxnet')]))
"""


def find(*path, **variables):
    """Return what is found on a path that has nothing else."""
    standard = [p for p in run_python('import sys; print(*sys.path)',
                '-S').split() if 'python3' in p]  # fmt: skip
    code = CODE.format(path=[*map(str, path), ROOT, *standard])
    return json.loads(run_python(code, **variables))


@pytest.mark.parametrize('wheel', ['mxnet', 'mxnet-cu112', 'mxnet-cu117'])
def test_a_wheel(tmp_path, wheel):
    put_mxnet(tmp_path, wheel)
    found, versions = find(tmp_path)
    folder = str(tmp_path / 'mxnet')
    assert found == {
        'wheels': [wheel],
        'version': '1.9.1',
        'folder': folder,
        'library': os.path.join(folder, 'libmxnet.so'),
    }
    assert versions[wheel] == '1.9.1'


def test_two_wheels_in_one_folder(tmp_path):
    put_mxnet(tmp_path, 'mxnet', 'mxnet-cu117')
    assert find(tmp_path)[0]['wheels'] == ['mxnet', 'mxnet-cu117']


def test_one_that_pip_did_not_install(tmp_path):
    """As in NVIDIA's container: a path entry without metadata."""
    put_mxnet(tmp_path)
    found, versions = find(tmp_path)
    assert found['wheels'] == [] and found['version'] == '1.9.1'
    assert versions['mxnet'] == '1.9.1'


def test_one_that_does_not_tell_its_version(tmp_path):
    put_mxnet(tmp_path)
    (tmp_path / 'mxnet' / 'libinfo.py').unlink()
    found, versions = find(tmp_path)
    assert found['version'] is None and 'mxnet' not in versions


def test_a_library_that_is_elsewhere(tmp_path):
    """Where MXNet itself looks for it, in the same order."""
    put_mxnet(tmp_path / 'mx' / 'python')
    (tmp_path / 'mx' / 'python' / 'mxnet' / 'libmxnet.so').unlink()
    assert find(tmp_path / 'mx' / 'python')[0]['library'] is None
    for folder, variables in (
        ('mx/build', {}),
        ('mx/lib', {}),
        ('other', {'LD_LIBRARY_PATH': f'/none:{tmp_path}/other'}),
        ('named', {'MXNET_LIBRARY_PATH': f'{tmp_path}/named/libmxnet.so'}),
    ):
        library = tmp_path / folder / 'libmxnet.so'
        library.parent.mkdir(parents=True)
        library.touch()
        found, _ = find(tmp_path / 'mx' / 'python', **variables)
        assert found['library'] == str(library)


def test_what_an_uninstalled_one_has_left_is_none(tmp_path):
    (tmp_path / 'mxnet').mkdir()
    assert find(tmp_path)[0] is None


def test_files_that_another_wheel_took_along(tmp_path):
    put_mxnet(tmp_path, 'mxnet-cu117', module=False)
    found, _ = find(tmp_path)
    assert found['wheels'] == ['mxnet-cu117'] and found['folder'] is None


def test_none(tmp_path):
    found, versions = find(tmp_path)
    assert found is None and 'mxnet' not in versions
