"""Fashion-MNIST in NumPy: the shortest framework that there could be."""

import numpy as np

from d2l_vgg.datasets import minibatches
from d2l_vgg.training import data


class Minibatches(minibatches.Minibatches):
    def to_device(self, array, dtype):
        return array.astype(dtype)

    def take(self, indices, *window):
        if window:
            X = self.images[(indices[:, None, None], *window)]
        else:
            X = self.images[indices]
        if self.rows is not None:
            X = np.floor(self.rows @ X.astype('float32') @ self.columns + 0.5)
        return (X[:, None] / 255).astype('float32'), self.labels[indices]


class FashionMNIST(data.FashionMNIST):
    Minibatches = Minibatches

    def to_numpy(self, array):
        return array
