"""The frameworks in which this package has VGG: one folder for each.

Every folder has the same classes, `VGG`, `Classifier`, `Trainer` and
`FashionMNIST`, so that what stands above need not know which one it uses.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

from d2l_vgg.cuda import WHEELS


class Framework(NamedTuple):
    """What is to be known of a framework without importing it.

    `title` is its name in prose, `tab` that of its tab in the book,
    `packages` those whose versions a run records.
    """

    title: str
    tab: str
    packages: tuple


FRAMEWORKS = {
    'mxnet': Framework('MXNet', 'mxnet', ('mxnet', *WHEELS, 'd2l')),
    'torch': Framework('PyTorch', 'pytorch', ('torch',)),
    'tensorflow': Framework(
        'TensorFlow', 'tensorflow', ('tensorflow', 'tensorflow-cpu', 'keras')
    ),
    'jax': Framework('JAX', 'jax', ('jax', 'jaxlib', 'flax', 'optax')),
}

if TYPE_CHECKING:
    # `make lint` complains of a class here that leaves a method out
    from d2l_vgg import jax, mxnet, tensorflow, torch
    from d2l_vgg.datasets.minibatches import Minibatches
    from d2l_vgg.training.classifier import Classifier
    from d2l_vgg.training.data import FashionMNIST
    from d2l_vgg.training.trainer import Trainer

    CLASSIFIERS: list[type[Classifier]] = [
        mxnet.Classifier,
        torch.Classifier,
        tensorflow.Classifier,
        jax.Classifier,
    ]
    TRAINERS: list[type[Trainer]] = [
        mxnet.Trainer,
        torch.Trainer,
        tensorflow.Trainer,
        jax.Trainer,
    ]
    DATASETS: list[type[FashionMNIST]] = [
        mxnet.FashionMNIST,
        torch.FashionMNIST,
        tensorflow.FashionMNIST,
        jax.FashionMNIST,
    ]
    MINIBATCHES: list[type[Minibatches]] = [
        mxnet.data.Minibatches,
        torch.data.Minibatches,
        tensorflow.data.Minibatches,
        jax.data.Minibatches,
    ]


def load(name: str) -> ModuleType:
    """Import the folder of a framework, and with it the framework.

    Raises:
        ModuleNotFoundError: the framework is not installed.
    """
    return importlib.import_module(f'd2l_vgg.{name}')


def named(text: str) -> str:
    """Return the name of the framework that `text` stands for.

    That is its own name or the one of its tab.
    """
    for name, framework in FRAMEWORKS.items():
        if text == framework.tab:
            return name
    return text
