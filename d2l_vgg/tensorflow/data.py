"""Fashion-MNIST for TensorFlow, held whole in the memory of the device."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from d2l_vgg.datasets import minibatches
from d2l_vgg.training import data


class Minibatches(minibatches.Minibatches):
    """As everywhere, with `X` of shape (batch_size, height, width, 1)."""

    def to_device(self, array: np.ndarray, dtype: str) -> Any:
        with tf.device(self.device):
            return tf.constant(array, dtype=dtype)

    def take(self, indices: Any, *window: Any) -> tuple:
        X = tf.gather(self.images, indices)
        if window:
            rows, columns = window
            X = tf.gather(X, rows[:, :, 0], axis=1, batch_dims=1)
            X = tf.gather(X, columns[:, 0], axis=2, batch_dims=1)
        X = tf.cast(X, 'float32')
        if self.rows is not None:
            # TF32, by which a GPU may multiply float32, would round pixels
            dtype = 'float32' if self.device == '/CPU:0' else 'float64'
            arrays = self.rows, X, self.columns
            rows, X, columns = [tf.cast(A, dtype) for A in arrays]
            X = tf.cast(tf.floor(rows @ (X @ columns) + 0.5), 'float32')
        return X[..., None] / 255, tf.gather(self.labels, indices)


class FashionMNIST(data.FashionMNIST):
    __doc__ = data.FashionMNIST.__doc__
    Minibatches = Minibatches

    def to_numpy(self, array: Any) -> np.ndarray:
        return array.numpy()
