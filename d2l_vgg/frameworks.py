"""The frameworks in which this package has VGG: one folder for each.

Every folder has the same classes, `VGG`, `Classifier`, `Trainer` and
`FashionMNIST`, so that what stands above need not know which one it uses.
"""

import importlib
from types import ModuleType
from typing import NamedTuple


class Framework(NamedTuple):
    """What is to be known of a framework without importing it.

    `title` is its name in prose, `tab` that of its tab in the book,
    `packages` those whose versions a run records.
    """

    title: str
    tab: str
    packages: tuple


# MXNet's for GPUs, of which one takes the place of the wheel `mxnet`
CUDA_WHEELS = ('mxnet-cu112', 'mxnet-cu117')

FRAMEWORKS = {
    'mxnet': Framework('MXNet', 'mxnet', ('mxnet', *CUDA_WHEELS, 'd2l')),
    'torch': Framework('PyTorch', 'pytorch', ('torch',)),
    'tensorflow': Framework(
        'TensorFlow', 'tensorflow', ('tensorflow', 'tensorflow-cpu', 'keras')
    ),
    'jax': Framework('JAX', 'jax', ('jax', 'jaxlib', 'flax', 'optax')),
}


def load(name: str) -> ModuleType:
    """Import the folder of a framework, and with it the framework.

    Raises:
        ModuleNotFoundError: the framework is not installed.
    """
    return importlib.import_module(f'd2l_vgg.{name}')


def named(text: str) -> str:
    """Return the name of the framework with this name or tab."""
    return {f.tab: name for name, f in FRAMEWORKS.items()}.get(text, text)
