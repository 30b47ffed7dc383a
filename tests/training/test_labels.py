"""Labels that are no classes of the network are refused before they train it.

MXNet's loss would take the nearest class instead.
"""

import numpy as np
import pytest
from numpy_data import FashionMNIST
from numpy_trainer import Softmax, Trainer

from d2l_vgg.training import labels

WRONG = [
    (np.array([0, 7, 2]), 3, 'A label is 7, .* 3 classes, 0 to 2'),
    (np.array([0, 3, 2]), 3, 'A label is 3, .* 3 classes, 0 to 2'),
    (np.array([[0, -1]]), 3, 'A label is -1,'),
    (np.array([0, 1.5]), 3, 'A label is 1.5,'),
    (np.array([0, np.nan]), 3, 'A label is nan,'),
    (np.array([1, np.inf]), 3, 'A label is inf,'),
    (np.array([0, 255], 'uint8'), 10, 'A label is 255,'),
    (np.array(['coat']), 3, 'Labels are of type <U4'),
    (np.array([None]), 3, 'Labels are of type object'),
]


@pytest.mark.parametrize('found, num_classes, message', WRONG)
def test_other_labels_are_refused(found, num_classes, message):
    with pytest.raises(ValueError, match=message) as caught:
        labels.check(found, num_classes)
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
    labels.check(found, 3)
    labels.check(np.array([0.5]), None)


@pytest.fixture
def data():
    return FashionMNIST(20, num_train=100, num_val=40)


class Foreign:
    """The same images in minibatches of a reader's own."""

    def __init__(self, data):
        self.data = data

    def train_dataloader(self):
        return list(self.cut(*self.data.train))

    def val_dataloader(self):
        return list(self.cut(*self.data.val))

    def cut(self, images, labels):
        for i in range(0, len(labels), 20):
            yield images[i : i + 20] / 255, labels[i : i + 20]


@pytest.mark.parametrize('which', ['train', 'val'])
@pytest.mark.parametrize('label', [10, -1, 1.5])
@pytest.mark.parametrize('where', [0, -1])
def test_our_own_data_are_looked_at_whole(data, which, label, where):
    images, found = getattr(data, which)
    found = found.astype('float64')
    found[where] = label
    setattr(data, which, (images, found))
    model, trainer = Softmax(), Trainer(1, display='none')
    with pytest.raises(ValueError, match=f'A label is {label}'):
        trainer.fit(model, data)
    assert not trainer.seen and not model.W.any()


@pytest.mark.parametrize('where, steps', [(0, 0), (-1, 80)])
def test_another_loaders_are_looked_at_as_they_come(data, where, steps):
    data.train[1][where] = 10
    trainer = Trainer(1, display='none')
    with pytest.raises(ValueError, match='A label is 10, .* 10 classes'):
        trainer.fit(Softmax(), Foreign(data))
    assert len(trainer.seen) == steps


def test_another_validation_loader_is_looked_at(data):
    data.val[1][-1] = 77
    trainer = Trainer(1, display='none')
    with pytest.raises(ValueError, match='A label is 77'):
        trainer.fit(Softmax(), Foreign(data))
    assert len(trainer.seen_val) == 20


@pytest.mark.parametrize('kind', [lambda data: data, Foreign])
def test_too_few_outputs_for_the_classes(data, kind):
    with pytest.raises(ValueError, match='the network has 3 classes'):
        Trainer(1, display='none').fit(Softmax(3), kind(data))


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
