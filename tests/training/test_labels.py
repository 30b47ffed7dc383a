"""Labels that are no classes of the network are refused before they train it.

MXNet's loss would take the nearest class instead.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy_data import FashionMNIST
from numpy_trainer import Softmax, Trainer

from d2l_vgg.training import labels

WRONG = [
    (np.array([0, 3, 2]), 3, 'A label is 3, .* 3 classes, 0 to 2'),
    (np.array([[0, -1]]), 3, 'A label is -1,'),
    (np.array([0, 1.5]), 3, 'A label is 1.5,'),
    (np.array([0, np.nan]), 3, 'A label is nan,'),
    (np.array([0, 255], 'uint8'), 10, 'A label is 255,'),
    (np.array(['coat']), 3, 'Labels are of type <U4'),
    (np.array([None]), 3, 'Labels are of type object'),
]


@pytest.mark.parametrize('found, num_classes, message', WRONG)
def test_other_labels_are_refused(found, num_classes, message):
    with pytest.raises(ValueError, match=message) as caught:
        labels.check_classes(found, num_classes)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize(
    'found',
    [
        np.array([0, 2], 'int32'),
        np.array([0.0, 2.0], 'float32'),  # As Gluon's loaders have them
        np.array([[0], [2]], 'uint8'),
        np.array([True, False]),
        np.array([]),
        None,
    ],
)
def test_the_classes_are_taken(found):
    labels.check_classes(found, 3)
    labels.check_classes(np.array([0.5]), None)


@pytest.fixture
def data():
    return FashionMNIST(20, num_train=100, num_val=40)


def cut(images, found):
    """Return minibatches as a reader's own loader makes them."""
    starts = range(0, len(found), 20)
    return [(images[i : i + 20] / 255, found[i : i + 20]) for i in starts]


@pytest.mark.parametrize(
    'which, where, steps',
    [('train', 0, 0), ('train', -1, 80), ('val', 0, 100)],
)
def test_another_loaders_are_looked_at_as_they_come(
    data, which, where, steps
):
    getattr(data, which)[1][where] = 10
    foreign = SimpleNamespace(
        train_dataloader=lambda: cut(*data.train),
        val_dataloader=lambda: cut(*data.val),
    )
    trainer = Trainer(1, display='none')
    with pytest.raises(ValueError, match='A label is 10, .* 10 classes'):
        trainer.fit(Softmax(), foreign)
    assert len(trainer.seen) == steps and not trainer.seen_val


def test_what_does_not_classify_has_other_labels(data):
    class Regression(Softmax):
        accuracy = property()

    trainer = Trainer(1, display='none')
    trainer.model = Regression()
    trainer.train_dataloader = trainer.val_dataloader = None
    trainer.num_classes = 1
    labels.check_sets(trainer)
    assert trainer.num_classes is None


def test_images_that_are_no_bytes_are_refused(data):
    images, found = data.train
    data.train = images / 255, found
    with pytest.raises(ValueError, match='images of type float64'):
        data.train_dataloader()
    data.train = images[1:], found
    with pytest.raises(ValueError, match='99 images .* 100 labels'):
        data.train_dataloader()
