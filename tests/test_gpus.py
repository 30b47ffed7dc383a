"""NVIDIA's driver, told by a library that answers as NVML does."""

from types import SimpleNamespace
from typing import NamedTuple

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


class Device(NamedTuple):
    """A GPU, or a slice of one, as the library answers for it."""

    gpu: Gpu
    memory_error: Exception = None
    slices: list = []

    def slice(self, index):
        if self.slices[index : index + 1] in ([], [None]):
            raise pynvml.NVMLError_NotFound
        return self.slices[index]

    def memory(self):
        if self.memory_error:
            raise self.memory_error
        return SimpleNamespace(total=self.gpu.memory, free=self.gpu.free)


@pytest.fixture
def found(monkeypatch):
    """The devices that the library tells of: what is put into this list.

    An error stands for a GPU that is another's.
    """
    found = []

    def handle(index):
        if not isinstance(found[index], Device):
            raise found[index]
        return found[index]

    for name, function in {
        'Init': lambda: None,
        'Shutdown': lambda: None,
        'SystemGetDriverVersion': lambda: '535.129.03',
        'SystemGetCudaDriverVersion': lambda: 12020,
        'DeviceGetCount': lambda: len(found),
        'DeviceGetHandleByIndex': handle,
        'DeviceGetName': lambda device: device.gpu.name,
        'DeviceGetUUID': lambda device: f'MIG-{device.gpu.free}',
        'DeviceGetMigDeviceHandleByIndex': Device.slice,
        'DeviceGetCudaComputeCapability': lambda device: list(
            device.gpu.capability
        ),
        'DeviceGetMemoryInfo': Device.memory,
    }.items():
        monkeypatch.setattr(pynvml, f'nvml{name}', function)
    return found


def test_driver_tells_of_gpus_of_different_kinds(found):
    found += [Device(T4), Device(H100)]
    found.append(Device(GB10, pynvml.NVMLError_NotSupported))
    known = '535.129.03', (12, 2), [T4, H100, GB10]
    assert gpus.driver() == (known, '')
    assert gpus.names() == [T4.name, H100.name, GB10.name]
    assert gpus.capability() == (7, 5)


@pytest.mark.parametrize('visible, seen', [('', 0), (f'MIG-{9 * GIB}', 1)])
def test_slice_of_a_gpu_is_told_with_its_own_memory(
    visible, seen, found, monkeypatch
):
    # What a container with two slices of an H100 is answered: of the whole
    # it may not ask the memory, other slices are not there
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', visible)
    slices = [
        Gpu('NVIDIA H100 MIG 1g.12gb', (9, 0), 11 * GIB, free * GIB)
        for free in (10, 9)
    ]
    parts = [None, *map(Device, slices)]
    found.append(Device(H100, pynvml.NVMLError_NoPermission, parts))
    known, problem = gpus.driver()
    assert known.gpus == [slices[seen]] and problem == ''


def test_gpus_of_other_jobs_are_left_out(found):
    found += [pynvml.NVMLError_NoPermission(), Device(T4)]
    assert gpus.names() == [T4.name]


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

    found.append(Device(T4))
    monkeypatch.setattr(pynvml, 'nvmlInit', fail)
    assert gpus.names() == [] and gpus.capability() == (0, 0)
    known, problem = gpus.driver()
    assert known is None and bool(problem) == driver_fails


def test_damaged_library_is_no_driver(tmp_path):
    (tmp_path / 'libnvidia-ml.so.1').write_bytes(b'half a libr')
    code = 'from d2l_vgg import gpus; print(gpus.driver())'
    told = run_python(code, LD_LIBRARY_PATH=str(tmp_path))
    assert told == "(None, '')"
