"""Divide the images of a data set anew into a training and a validation set.

It tells whether a validation set is easier or harder than others.
"""

import numpy as np

from d2l_vgg import limits
from d2l_vgg.datasets.fashion_mnist import Data


def divide_anew(data: Data, seed: int) -> Data:
    """Return the images of `data` in another division, drawn from `seed`.

    All are put together, shuffled, and divided so that each class keeps its
    number of training and of validation examples.

    Args:
        data: the data set
        seed: a whole number, from 0 to 2**32 - 1

    Returns:
        A `Data` whose `source` names the seed, too.

    Raises:
        ValueError: the seed is something else.
    """
    seed = limits.check('division', seed, int, least=0, below=2**32)
    rng = np.random.RandomState(seed)
    images = np.concatenate([data.train_images, data.val_images])
    labels = np.concatenate([data.train_labels, data.val_labels])
    order = rng.permutation(len(labels))
    is_val = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        of_class = order[labels[order] == label]
        is_val[of_class[: np.sum(data.val_labels == label)]] = True
    train, val = order[~is_val[order]], order[is_val[order]]
    return data._replace(
        train_images=images[train],
        train_labels=labels[train],
        val_images=images[val],
        val_labels=labels[val],
        source=f'{data.source}, divided anew from seed {seed}',
    )
