"""A driver of NVIDIA that is none, and an MXNet that is none.

A C compiler makes a small shared library of NVML with recorded answers.
"""

import shutil
import subprocess

T4 = 'Tesla T4', 7, 5, 15360
A100 = 'NVIDIA A100-SXM4-40GB', 8, 0, 40960
RTX_4090 = 'NVIDIA GeForce RTX 4090', 8, 9, 24564
H100 = 'NVIDIA H100 80GB HBM3', 9, 0, 81559
B200 = 'NVIDIA B200', 10, 0, 183359

NVML = r"""
#include <stdint.h>
#include <string.h>
struct gpu { const char *name; int major, minor; uint64_t mib; };
static struct gpu gpus[] = { GPUS };
struct memory { unsigned long long total, free, used; };
int nvmlInitWithFlags(unsigned flags) { return STATUS; }
int nvmlInit_v2(void) { return STATUS; }
int nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(int status) {
    return status == 9 ? "Driver Not Loaded" :
        status == 15 ? "GPU is lost" : "Unknown Error";
}
int nvmlSystemGetDriverVersion(char *text, unsigned n) {
    strncpy(text, "VERSION", n);
    return 0;
}
int nvmlSystemGetCudaDriverVersion(int *version) {
    *version = CUDA;
    return 0;
}
int nvmlDeviceGetCount_v2(unsigned *n) { *n = NUMBER; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **gpu) {
    if (i >= NUMBER) return 2;
    *gpu = &gpus[i];
    return gpus[i].mib == 13 ? 15 : 0;
}
int nvmlDeviceGetName(void *gpu, char *text, unsigned n) {
    strncpy(text, ((struct gpu *)gpu)->name, n);
    return 0;
}
int nvmlDeviceGetCudaComputeCapability(void *gpu, int *major, int *minor) {
    *major = ((struct gpu *)gpu)->major;
    *minor = ((struct gpu *)gpu)->minor;
    return 0;
}
int nvmlDeviceGetMemoryInfo(void *gpu, struct memory *found) {
    if (((struct gpu *)gpu)->mib == 0) return 3;
    found->total = ((struct gpu *)gpu)->mib << 20;
    found->free = found->total - (1 << 30);
    found->used = 1 << 30;
    return 0;
}
"""
# One that is lost, and one that shares the memory of the machine
LOST = 'NVIDIA A100-SXM4-40GB', 8, 0, 13
SHARING = 'NVIDIA GB10', 12, 1, 0


def make_driver(folder, gpus, version='535.129.03', cuda=12020, status=0):
    """Make a driver in a folder and return it, for $LD_LIBRARY_PATH.

    Args:
        folder: where to put it
        gpus: a name, the two numbers of the compute capability, and MiB each
        version, cuda: of the driver, and the newest CUDA that it runs
        status: what NVML returns at first, 9 where no driver is loaded
    """
    rows = ','.join(
        f'{{"{name}", {major}, {minor}, {mib}}}'
        for name, major, minor, mib in gpus
    )
    text = NVML
    for word, value in (
        ('GPUS', rows or '{"", 0, 0, 0}'),
        ('STATUS', status),
        ('VERSION', version),
        ('CUDA;', f'{cuda};'),
        ('NUMBER', f'{len(gpus)}u'),
    ):
        text = text.replace(word, str(value))
    folder.mkdir(exist_ok=True)
    compile_library(folder / 'nvml.c', text, folder / 'libnvidia-ml.so.1')
    return folder


def compile_library(source, text, library):
    """Write C to a file and make a shared library of it."""
    source.write_text(text)
    command = ['cc', '-shared', '-fPIC', source, '-o', library]
    subprocess.run(list(map(str, command)), check=True)


def has_compiler():
    return shutil.which('cc') is not None


def put_mxnet(folder, *names, library=b''):
    """Put an MXNet into a folder of packages, by these wheels of pip."""
    for name in names:
        info = folder / f'{name.replace("-", "_")}-1.9.1.dist-info'
        info.mkdir(parents=True)
        (info / 'METADATA').write_text(
            f'Metadata-Version: 2.1\nName: {name}\nVersion: 1.9.1\n'
        )
    (folder / 'mxnet').mkdir(parents=True)
    (folder / 'mxnet' / '__init__.py').write_text('raise OSError("no")')
    (folder / 'mxnet' / 'libmxnet.so').write_bytes(library)
    return folder
