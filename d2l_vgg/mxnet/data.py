"""Fashion-MNIST for MXNet, held whole in the memory of the device."""

import numpy as onp
from d2l import mxnet as d2l
from mxnet import np

from d2l_vgg.datasets import minibatches
from d2l_vgg.training import data


class Minibatches(minibatches.Minibatches):
    __doc__ = minibatches.Minibatches.__doc__

    def to_device(self, array: onp.ndarray, dtype: str) -> np.ndarray:
        return np.array(array, dtype=dtype, ctx=self.device)

    def take(self, indices: np.ndarray, *window: np.ndarray) -> tuple:
        chosen = indices
        if window:
            parts = indices[:, None, None], *window
            shape = onp.broadcast_shapes(*(part.shape for part in parts))
            # MXNet 2 combines only what is of one shape
            chosen = tuple(np.broadcast_to(part, shape) for part in parts)
        X, y = np.expand_dims(self.images[chosen], 1), self.labels[indices]
        if self.rows is None:
            return X / 255, y
        # Half a grey level added before is cheaper than rounding after
        X = np.dot(X.astype('float32') + 0.5, self.columns)
        X = np.matmul(self.rows, X)
        # Cuts off, too; unlike a division, it takes all cores
        levels = self.to_device(onp.arange(256) / 255, 'float32')
        return np.take(levels, X, mode='clip', out=X), y


class FashionMNIST(data.FashionMNIST, d2l.DataModule):
    __doc__ = data.FashionMNIST.__doc__
    Minibatches = Minibatches

    def to_numpy(self, array: np.ndarray) -> onp.ndarray:
        return array.asnumpy()
