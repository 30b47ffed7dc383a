"""Refuse labels that are no classes of the network, before it learns them.

A framework's loss may take another class instead, without a word: MXNet's
takes the nearest.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from d2l_vgg.datasets.minibatches import Minibatches


def check_classes(labels: Any, num_classes: Any) -> None:
    """Raise ValueError unless `labels` are among 0 to `num_classes` - 1.

    `labels` is an array of any shape, or None where it cannot be seen;
    `num_classes` is None where the network does not classify.
    """
    if labels is None or num_classes is None:
        return
    labels = np.asarray(labels)
    if labels.dtype.kind not in 'biuf':
        raise ValueError(
            f'Labels are of type {labels.dtype}: they must be whole numbers, '
            'the indices of the classes.'
        )
    # Not a number is none of them, either
    right = (labels >= 0) & (labels < num_classes)
    if labels.dtype.kind == 'f':
        right &= labels == np.floor(labels)
    if not right.all():
        raise ValueError(
            f'A label is {labels[~right].flat[0]}, but the network has '
            f'{num_classes} classes, 0 to {num_classes - 1}: correct the '
            'labels, or give it as many classes as there are.'
        )


def check_sets(trainer: Any) -> None:
    """As `check_classes`, for our own data, whose labels are all there."""
    if not hasattr(trainer.model, 'accuracy'):
        trainer.num_classes = None  # It does not classify
    for loader in trainer.train_dataloader, trainer.val_dataloader:
        if isinstance(loader, Minibatches):
            check_classes(loader.given_labels, trainer.num_classes)


def checked(batches: Iterable[tuple], trainer: Any) -> Iterator[tuple]:
    """Yield the minibatches of another's loader, each one checked."""
    for batch in batches:
        check_classes(trainer.labels(batch), trainer.num_classes)
        yield batch
