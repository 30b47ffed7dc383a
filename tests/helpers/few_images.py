"""The first images of Fashion-MNIST, and data sets of other images."""

import gzip
import os

import numpy as np

from d2l_vgg.datasets import fashion_mnist


def load(num_train=60000, num_val=10000):
    """Return the `Data` of the package, with the first so many examples."""
    data = fashion_mnist.load()
    return data._replace(
        train_images=data.train_images[:num_train],
        train_labels=data.train_labels[:num_train],
        val_images=data.val_images[:num_val],
        val_labels=data.val_labels[:num_val],
    )


def content_of(array):
    """Return an array of bytes as IDX, which is written down here again."""
    content = b'\0\0\x08' + bytes([array.ndim])
    for size in array.shape:
        content += size.to_bytes(4, 'big')
    return content + array.tobytes()


def noise(num_train=400, num_val=20, size=(28, 28), num_classes=10):
    """Return four arrays of random images and labels, the last class there.

    They are in the order of `fashion_mnist.FILES`.
    """
    rng = np.random.RandomState(0)
    arrays = []
    for num in num_train, num_val:
        arrays.append(rng.randint(256, size=(num, *size)).astype('uint8'))
        labels = rng.randint(num_classes, size=num).astype('uint8')
        labels[0] = num_classes - 1
        arrays.append(labels)
    return arrays


def write(folder, arrays, classes=None, packed=True):
    """Write four arrays, and the names of the classes, into a new folder."""
    os.makedirs(folder)
    for name, array in zip(fashion_mnist.FILES, arrays):
        content = content_of(array)
        if packed:
            name, content = name + '.gz', gzip.compress(content)
        with open(os.path.join(folder, name), 'wb') as file:
            file.write(content)
    if classes is not None:
        path = os.path.join(folder, 'classes.txt')
        content = '\n'.join(classes).encode('utf-8', 'surrogateescape')
        with open(path, 'wb') as file:
            file.write(content + b'\n')
    return str(folder)
