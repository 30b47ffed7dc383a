"""Fashion-MNIST for JAX, held whole in the memory of the device."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from jax import numpy as jnp

from d2l_vgg.datasets import minibatches
from d2l_vgg.training import data


class Minibatches(minibatches.Minibatches):
    """As everywhere, with `X` of shape (batch_size, height, width, 1)."""

    def to_device(self, array: np.ndarray, dtype: str) -> Any:
        return jax.device_put(np.asarray(array, dtype), self.device)

    def take(self, indices: Any, *window: Any) -> tuple:
        held = self.images, self.labels, self.rows, self.columns
        return take(*held, indices, *window)


@jax.jit
def take(images, labels, rows, columns, indices, *window):
    """Return the minibatch, compiled; see `Minibatches.take`."""
    if window:
        X = images[(indices[:, None, None], *window)]
    else:
        X = images[indices]
    if rows is not None:
        # On a GPU the default has only 11 bits, which moves grey levels
        X = jnp.matmul(rows, X.astype('float32'), precision='highest')
        X = jnp.matmul(X, columns, precision='highest')
        X = jnp.floor(X + 0.5)
    return (X / 255)[..., None].astype('float32'), labels[indices]


class FashionMNIST(data.FashionMNIST):
    __doc__ = data.FashionMNIST.__doc__
    Minibatches = Minibatches

    def to_numpy(self, array: Any) -> np.ndarray:
        return np.asarray(array)
