"""What a trained network gets right, what it confuses, and what is worst.

Everything is computed from true labels and predicted probabilities, so it
serves every framework.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from tabulate import tabulate

from d2l_vgg.datasets.fashion_mnist import TEXT_LABELS


class Mistake(NamedTuple):
    """A wrong prediction: the example's index, and what to write above it."""

    example: int
    title: str


def confusion_matrix(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Count how often each class is taken for each other.

    Args:
        labels: true classes, of shape (number of examples,)
        scores: probabilities, of shape (number of examples, num_classes)

    Returns:
        Integers of shape (num_classes, num_classes): true class by row,
        predicted class by column.
    """
    matrix = np.zeros((scores.shape[1], scores.shape[1]), dtype=int)
    np.add.at(matrix, (labels, scores.argmax(axis=1)), 1)
    return matrix


def worst_mistakes(
    labels: np.ndarray,
    scores: np.ndarray,
    count: int,
    classes: Sequence[str] = TEXT_LABELS,
) -> list[Mistake]:
    """Return the `count` wrong predictions that were the most certain.

    They are ordered by the probability of the wrong class, largest first,
    and told by the names of the `classes`.
    """
    predicted = scores.argmax(axis=1)
    certainty = np.where(predicted == labels, -1, scores.max(axis=1))
    order = np.argsort(-certainty, kind='stable')[:count]
    return [
        Mistake(
            i,
            f'{classes[labels[i]]},\nnot {classes[predicted[i]]} '
            f'({certainty[i]:.0%})',
        )
        for i in order
        if certainty[i] >= 0
    ]


def report(matrix: np.ndarray, classes: Sequence[str] = TEXT_LABELS) -> str:
    """Return the accuracy, and the confusion matrix as text."""
    short = [label.replace(' ', '-')[:5] for label in classes]
    rows = [('', *short)]
    for label, counts in zip(classes, matrix):
        rows.append((label, *map(str, counts)))
    lines = [
        f'Accuracy {np.trace(matrix) / matrix.sum():.4f} '
        f'on {matrix.sum()} images (rows are true, columns predicted)',
        tabulate(
            rows,
            tablefmt='plain',
            colalign=['right'] * len(rows[0]),
            disable_numparse=True,
        ),
    ]
    return '\n'.join(lines)
