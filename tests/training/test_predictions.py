"""Who is taken for whom is told the right way round."""

import numpy as np

from d2l_vgg.datasets.fashion_mnist import TEXT_LABELS
from d2l_vgg.training import predictions

# Two coats are taken for shirts, one shirt for a bag, one bag is seen as one
COAT, SHIRT, BAG = map(TEXT_LABELS.index, ('coat', 'shirt', 'bag'))
LABELS = np.array([COAT, SHIRT, BAG, COAT])
PREDICTED = [SHIRT, BAG, BAG, SHIRT]


def scores(*certainties):
    """Return probabilities that give the predicted classes so much."""
    rows = []
    for label, certainty in zip(PREDICTED, certainties):
        rows.append(np.full(10, (1 - certainty) / 9))
        rows[-1][label] = certainty
    return np.array(rows)


def test_the_row_is_the_true_class_and_the_column_the_predicted():
    matrix = predictions.confusion_matrix(LABELS, scores(0.9, 0.9, 0.9, 0.9))
    assert matrix[COAT, SHIRT] == 2
    assert matrix[SHIRT, BAG] == matrix[BAG, BAG] == 1
    assert matrix.sum() == 4
    first, _, *rows = predictions.report(matrix).splitlines()
    assert first == (
        'Accuracy 0.2500 on 4 images (rows are true, columns predicted)'
    )
    one = predictions.report(np.eye(10, dtype=int) * (np.arange(10) == 3))
    assert one.startswith('Accuracy 1.0000 on 1 image (')
    assert rows[COAT].split() == ['coat', *'0000002000']


def test_the_worst_mistakes_come_first_with_true_and_predicted_class():
    found = predictions.worst_mistakes(LABELS, scores(0.6, 0.9, 1, 0.7), 2)
    assert found == [
        (1, 'label shirt,\npredicted bag (90%)'),
        (3, 'label coat,\npredicted shirt (70%)'),
    ]
    every = predictions.worst_mistakes(LABELS, scores(0.6, 0.9, 1, 0.7), 9)
    assert [mistake.example for mistake in every] == [1, 3, 0]
