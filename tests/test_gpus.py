"""NVIDIA's driver, told by a library that answers as NVML does."""

from types import SimpleNamespace

import pytest
from processes import run_python

from d2l_vgg import gpus
from d2l_vgg.gpus import Gpu

pynvml = pytest.importorskip('pynvml')

GIB = 2**30
T4 = Gpu('Tesla T4', (7, 5), 15 * GIB, 14 * GIB)
H100 = Gpu('NVIDIA H100 80GB HBM3', (9, 0), 80 * GIB, 79 * GIB)
# It shares the memory of the machine
GB10 = Gpu('NVIDIA GB10', (12, 1), None, None)


@pytest.fixture
def found(monkeypatch):
    """The GPUs that the library tells of: what is put into this list."""
    found = []

    def memory(gpu):
        if gpu.memory is None:
            raise pynvml.NVMLError_NotSupported
        return SimpleNamespace(total=gpu.memory, free=gpu.free)

    for name, function in {
        'Init': lambda: None,
        'Shutdown': lambda: None,
        'SystemGetDriverVersion': lambda: '535.129.03',
        'SystemGetCudaDriverVersion': lambda: 12020,
        'DeviceGetCount': lambda: len(found),
        'DeviceGetHandleByIndex': lambda i: found[i],
        'DeviceGetName': lambda gpu: gpu.name,
        'DeviceGetCudaComputeCapability': lambda gpu: list(gpu.capability),
        'DeviceGetMemoryInfo': memory,
    }.items():
        monkeypatch.setattr(pynvml, f'nvml{name}', function)
    return found


def test_driver_tells_of_gpus_of_different_kinds(found):
    found += [T4, H100, GB10]
    assert gpus.driver() == ('535.129.03', (12, 2), [T4, H100, GB10])
    assert gpus.names() == [T4.name, H100.name, GB10.name]
    assert gpus.capability() == (7, 5)


@pytest.mark.parametrize(
    'error, driver_fails',
    [
        # As on the login node of a cluster
        (pynvml.NVML_ERROR_DRIVER_NOT_LOADED, False),
        (pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH, True),
        (pynvml.NVML_ERROR_GPU_IS_LOST, True),
    ],
)
def test_driver_that_does_not_answer_has_no_gpus(
    error, driver_fails, found, monkeypatch
):
    def fail():
        raise pynvml.NVMLError(error)

    found.append(T4)
    monkeypatch.setattr(pynvml, 'nvmlInit', fail)
    assert gpus.names() == [] and gpus.capability() == (0, 0)
    if driver_fails:
        with pytest.raises(pynvml.NVMLError):
            gpus.driver()
    else:
        assert gpus.driver() is None


def test_damaged_library_is_no_driver(tmp_path):
    (tmp_path / 'libnvidia-ml.so.1').write_bytes(b'half a libr')
    code = 'from d2l_vgg import gpus; print(gpus.driver())'
    assert run_python(code, LD_LIBRARY_PATH=str(tmp_path)) == 'None'
