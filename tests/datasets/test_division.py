"""Other divisions of the images into a training and a validation set."""

import numpy as np
import pytest

from d2l_vgg.datasets.division import divide_anew
from d2l_vgg.datasets.fashion_mnist import Data


def test_another_division_of_the_same_images():
    rng = np.random.RandomState(0)
    images = rng.randint(256, size=(70, 28, 28)).astype('uint8')
    labels = np.arange(70).astype('uint8') % 7
    data = Data(images[:50], labels[:50], images[50:], labels[50:], 'here')
    again, other = (divide_anew(data, s) for s in (1, 2))
    repeated = divide_anew(data, 1)
    np.testing.assert_array_equal(again.val_images, repeated.val_images)
    assert not np.array_equal(again.val_images, other.val_images)
    assert '1' in again.source
    names = {image.tobytes(): label for image, label in zip(images, labels)}
    pairs = [
        *zip(again.train_images, again.train_labels),
        *zip(again.val_images, again.val_labels),
    ]
    # Each image once, with its own label, each class with its numbers
    assert {image.tobytes(): label for image, label in pairs} == names
    for new, old in (
        (again.train_labels, data.train_labels),
        (again.val_labels, data.val_labels),
    ):
        np.testing.assert_array_equal(np.bincount(new), np.bincount(old))


@pytest.mark.parametrize('seed', [-1, 2**32, 1.0, True, '1', None, [1]])
def test_what_is_no_seed_is_refused(seed):
    data = Data(*[np.zeros(1, 'uint8')] * 4, 'here')
    with pytest.raises(ValueError, match='division is .*: it must be'):
        divide_anew(data, seed)
