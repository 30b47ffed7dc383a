"""The drawn data set: as large and as regular as Fashion-MNIST, not trivial.

Its difficulty is measured with a classifier that needs no framework.
"""

import hashlib

import numpy as np
import pytest

from d2l_vgg import cli
from d2l_vgg.datasets import fashion_mnist, stand_in


@pytest.fixture(scope='module')
def data():
    return stand_in.load(num_train=4000, num_val=1000)


def test_has_the_arrays_of_the_real_data_set():
    data = stand_in.load()
    for images, labels, file in (
        (data.train_images, data.train_labels, fashion_mnist.FILES[0]),
        (data.val_images, data.val_labels, fashion_mnist.FILES[2]),
    ):
        assert images.shape == file.shape
        assert labels.shape == file.shape[:1]
        assert images.dtype == labels.dtype == np.uint8
        num_classes = len(fashion_mnist.TEXT_LABELS)
        assert np.bincount(labels).tolist() == (
            [len(labels) // num_classes] * num_classes
        )


def test_says_that_it_is_a_stand_in(data, capsys):
    """So does every command and picture: tests/test_cli.py."""
    assert data.stand_in is True
    assert cli.main(['data', 'stand-in']) == 0
    assert 'drawn by code, not Fashion-MNIST' in capsys.readouterr().out


def test_same_seed_same_pixels():
    def digest(**kwargs):
        data = stand_in.load(200, 100, **kwargs)
        return [hashlib.sha256(a.tobytes()).digest() for a in data[:4]]

    assert digest() == digest(seed=0)
    assert all(a != b for a, b in zip(digest(), digest(seed=1)))


def test_validation_examples_do_not_depend_on_the_training_set(data):
    other = stand_in.load(num_train=10, num_val=1000)
    np.testing.assert_array_equal(data.val_images, other.val_images)
    np.testing.assert_array_equal(data.val_labels, other.val_labels)


def test_no_two_examples_are_alike(data):
    every = np.concatenate([data.train_images, data.val_images])
    assert len({image.tobytes() for image in every}) == len(every)


def test_a_garment_on_a_black_ground(data):
    for images in (data.train_images, data.val_images):
        # As in the real data set, about half of the pixels are black, and
        # no sheet is empty or full
        covered = (images > 0).reshape(len(images), -1).mean(axis=1)
        assert covered.min() > 0.03
        assert covered.max() < 0.95
        assert 0.3 < covered.mean() < 0.7
        assert images.max() == 255


def test_minibatches_hold_all_classes(data):
    # The examples are shuffled, not sorted by class
    for start in range(0, 4000, 200):
        labels = data.train_labels[start : start + 200]
        assert len(np.unique(labels)) == 10


def test_neither_trivial_nor_noise(data):
    """The nearest class mean, the simplest classifier, does middling."""
    X = data.train_images.reshape(len(data.train_images), -1) / 255.0
    means = np.stack([X[data.train_labels == c].mean(0) for c in range(10)])
    V = data.val_images.reshape(len(data.val_images), -1) / 255.0
    # The squared distance, without the term that all classes share
    distances = (means**2).sum(1) - 2 * V @ means.T
    accuracy = (distances.argmin(1) == data.val_labels).mean()
    # Chance is 0.1; on the real data set this classifier reaches 0.68
    assert 0.4 < accuracy < 0.8


def test_one_example_of_each_is_enough():
    data = stand_in.load(num_train=1, num_val=1)
    assert data.train_images.shape == data.val_images.shape == (1, 28, 28)


@pytest.mark.parametrize('num', [0, -5])
def test_refuses_no_examples(num):
    with pytest.raises(ValueError, match=f'cannot have {num} examples'):
        stand_in.load(num_train=num)
    with pytest.raises(ValueError, match=f'cannot have {num} examples'):
        stand_in.load(num_val=num)


@pytest.mark.parametrize('num', [2.5, True, '100', float('nan'), None])
def test_refuses_what_is_no_number_of_examples(num):
    with pytest.raises(ValueError, match='num_train is .*: it must be a wh'):
        stand_in.load(num_train=num)
    with pytest.raises(ValueError, match='num_val is .*: it must be a wh'):
        stand_in.load(num_val=num)
    assert len(stand_in.load(np.int64(3), np.uint8(2)).train_labels) == 3
