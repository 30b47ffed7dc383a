"""What a trained network gets right, what it confuses, and what is worst."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from tabulate import tabulate

from d2l_vgg import messages
from d2l_vgg.datasets.fashion_mnist import TEXT_LABELS


class Mistake(NamedTuple):
    """A wrong prediction: the example's index, and what to write above it."""

    example: int
    title: str


def confusion_matrix(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Count how often each class is taken for each other.

    `labels` are of shape (number of examples,), `scores` probabilities of
    shape (number of examples, num_classes). The counts, of shape
    (num_classes, num_classes), have a true class in each row.
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
    """Return the `count` wrong predictions that were the most certain."""
    predicted = scores.argmax(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    certainty = scores.max(axis=1)
    order = wrong[np.argsort(-certainty[wrong], kind='stable')][:count]
    return [
        Mistake(
            i,
            f'label {classes[labels[i]]},\n'
            f'predicted {classes[predicted[i]]} ({certainty[i]:.0%})',
        )
        for i in order
    ]


def report(matrix: np.ndarray, classes: Sequence[str] = TEXT_LABELS) -> str:
    """Return the accuracy, and the confusion matrix as text."""
    short = [label.replace(' ', '-')[:5] for label in classes]
    table = tabulate(
        [(label, *map(str, row)) for label, row in zip(classes, matrix)],
        ['', *short],
        tablefmt='plain',
        colalign=['right'] * (1 + len(short)),
        disable_numparse=True,
    )
    return (
        f'Accuracy {np.trace(matrix) / matrix.sum():.4f} '
        f'on {messages.counted(matrix.sum(), "image")} '
        '(rows are true, columns predicted)\n'
        f'{table}'
    )
