"""NVIDIA's driver, told by a library that answers as NVML does."""

import json
import sys

import nvidia
import pytest
from processes import run_python

pytestmark = pytest.mark.skipif(
    sys.platform != 'linux' or not nvidia.has_compiler(),
    reason='needs Linux and a C compiler',
)

CODE = """
    import json
    from d2l_vgg import nvml
    try:
        found = nvml.driver()
        print(json.dumps([found and found._asdict(), nvml.names()]))
    except nvml.DriverError as error:
        print(json.dumps([error.status, str(error), nvml.names()]))
"""


def ask(folder):
    return json.loads(run_python(CODE, LD_LIBRARY_PATH=str(folder)))


def test_a_machine_without_a_driver(tmp_path):
    if ask('/usr/lib/none')[0]:
        pytest.skip('this machine has a driver')
    assert ask(tmp_path) == [None, []]


def test_two_gpus_of_different_kinds(tmp_path):
    nvidia.make_driver(tmp_path, [nvidia.T4, nvidia.H100], '535.129.03')
    found, names = ask(tmp_path)
    assert found['version'] == '535.129.03'
    assert found['cuda'] == [12, 2]
    assert found['broken'] == []
    mib = 2**20
    assert found['gpus'] == [
        ['Tesla T4', [7, 5], 15360 * mib, 14336 * mib],
        ['NVIDIA H100 80GB HBM3', [9, 0], 81559 * mib, 80535 * mib],
    ]
    assert names == ['Tesla T4', 'NVIDIA H100 80GB HBM3']


def test_the_capability_of_the_first(tmp_path):
    code = 'from d2l_vgg import nvml; print(nvml.capability())'
    nvidia.make_driver(tmp_path, [nvidia.T4, nvidia.H100])
    assert run_python(code, LD_LIBRARY_PATH=str(tmp_path)) == '(7, 5)'
    nvidia.make_driver(tmp_path, [], status=9)
    assert run_python(code, LD_LIBRARY_PATH=str(tmp_path)) == '(0, 0)'


def test_a_gpu_that_is_lost_is_told_and_the_others_too(tmp_path):
    nvidia.make_driver(tmp_path, [nvidia.LOST, nvidia.A100])
    found, names = ask(tmp_path)
    assert names == ['NVIDIA A100-SXM4-40GB']
    assert found['broken'] == ['GPU 0: GPU is lost']


def test_a_gpu_without_memory_of_its_own(tmp_path):
    nvidia.make_driver(tmp_path, [nvidia.SHARING], cuda=13000)
    found, _ = ask(tmp_path)
    assert found['gpus'] == [['NVIDIA GB10', [12, 1], None, None]]
    assert found['cuda'] == [13, 0]


def test_a_driver_that_is_not_loaded(tmp_path):
    nvidia.make_driver(tmp_path, [], status=9)
    assert ask(tmp_path) == [9, 'Driver Not Loaded', []]


@pytest.mark.parametrize('content', [b'', b'half a libr', bytes(5000)])
def test_a_damaged_library(tmp_path, content):
    (tmp_path / 'libnvidia-ml.so.1').write_bytes(content)
    status, text, names = ask(tmp_path)
    assert status is None and 'does not load' in text and names == []


def test_a_library_without_the_functions(tmp_path):
    nvidia.make_driver(tmp_path, [nvidia.T4])
    source = tmp_path / 'nvml.c'
    text = source.read_text().replace('nvmlDeviceGetCount_v2', 'nvmlOther')
    nvidia.compile_library(source, text, tmp_path / 'libnvidia-ml.so.1')
    assert 'no function nvmlDeviceGetCount_v2' in ask(tmp_path)[1]
