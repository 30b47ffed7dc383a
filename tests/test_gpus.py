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
    from d2l_vgg import gpus
    try:
        found = gpus.driver()
        told = found and found._asdict()
    except Exception as error:
        told = str(error)
    print(json.dumps([told, gpus.names(), gpus.capability()]))
"""


def ask(folder):
    return json.loads(run_python(CODE, LD_LIBRARY_PATH=str(folder)))


def test_driver_tells_of_two_gpus_of_different_kinds(tmp_path):
    nvidia.make_driver(tmp_path, [nvidia.T4, nvidia.H100], '535.129.03')
    found, names, capability = ask(tmp_path)
    assert found['version'] == '535.129.03'
    assert found['cuda'] == [12, 2]
    assert found['broken'] == []
    mib = 2**20
    assert found['gpus'] == [
        ['Tesla T4', [7, 5], 15360 * mib, 14336 * mib],
        ['NVIDIA H100 80GB HBM3', [9, 0], 81559 * mib, 80535 * mib],
    ]
    assert names == ['Tesla T4', 'NVIDIA H100 80GB HBM3']
    assert capability == [7, 5]


def test_lost_gpu_is_told_beside_the_others(tmp_path):
    nvidia.make_driver(tmp_path, [nvidia.LOST, nvidia.A100])
    found, names, _ = ask(tmp_path)
    assert names == ['NVIDIA A100-SXM4-40GB']
    (broken,) = found['broken']
    assert broken.startswith('GPU 0 does not answer')


def test_gpu_that_shares_memory_has_none_of_its_own(tmp_path):
    nvidia.make_driver(tmp_path, [nvidia.SHARING], cuda=13000)
    found, _, _ = ask(tmp_path)
    assert found['gpus'] == [['NVIDIA GB10', [12, 1], None, None]]
    assert found['cuda'] == [13, 0]


@pytest.mark.parametrize(
    # No device, as on a login node; another version than the library's
    'status, kind',
    [(9, type(None)), (18, str)],
)
def test_library_that_does_not_answer_has_no_gpus(status, kind, tmp_path):
    nvidia.make_driver(tmp_path, [], status=status)
    found, *rest = ask(tmp_path)
    assert isinstance(found, kind) and rest == [[], [0, 0]]


@pytest.mark.parametrize('content', [b'', b'half a libr', bytes(5000)])
def test_damaged_library_is_no_driver(content, tmp_path):
    (tmp_path / 'libnvidia-ml.so.1').write_bytes(content)
    assert ask(tmp_path)[0] is None
