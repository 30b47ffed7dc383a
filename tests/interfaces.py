"""The classes of each framework, by the interface that they must fulfil.

Nothing runs this file: mypy, called by `make lint`, complains of a class here
that leaves out a method of its interface.
"""

from __future__ import annotations

from d2l_vgg import jax, mxnet, tensorflow, torch
from d2l_vgg.datasets.minibatches import Minibatches
from d2l_vgg.training.classifier import Classifier
from d2l_vgg.training.data import FashionMNIST
from d2l_vgg.training.loop import Trainer

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
