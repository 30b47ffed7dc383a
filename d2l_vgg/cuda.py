"""Find the CUDA 11 libraries that MXNet's GPU wheels need and do not bring.

pip puts them into folders where the system's loader does not look; once they
are in memory, `import mxnet` finds them there.
"""

import contextlib
import ctypes
import importlib.metadata
import importlib.util
import os

from d2l_vgg.frameworks import CUDA_WHEELS

# Each after those that it needs: the folder below `nvidia`, the library
LIBRARIES = (
    ('cuda_runtime', 'libcudart.so.11.0'),
    ('cuda_nvrtc', 'libnvrtc.so.11.2'),
    ('nvtx', 'libnvToolsExt.so.1'),
    ('cublas', 'libcublasLt.so.11'),
    ('cublas', 'libcublas.so.11'),
    ('cufft', 'libcufft.so.10'),
    ('curand', 'libcurand.so.10'),
    ('cusparse', 'libcusparse.so.11'),
    ('cusolver', 'libcusolver.so.11'),
    ('cudnn', 'libcudnn.so.8'),
    ('nccl', 'libnccl.so.2'),
)


def load_libraries():
    """Load the libraries that pip has installed, if this MXNet needs them.

    Returns their paths. One that is missing or damaged is left to `import
    mxnet`, which finds the system's own or tells that there is none.
    """
    distributions = importlib.metadata.distributions
    if not [each for n in CUDA_WHEELS for each in distributions(name=n)]:
        return []
    spec = importlib.util.find_spec('nvidia')
    loaded = []
    for package, library in LIBRARIES:
        for folder in spec.submodule_search_locations if spec else []:
            path = os.path.join(folder, package, 'lib', library)
            with contextlib.suppress(OSError):
                ctypes.CDLL(path, ctypes.RTLD_GLOBAL)
                loaded.append(path)
                break
    return loaded
