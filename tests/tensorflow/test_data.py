"""Fashion-MNIST in TensorFlow: the pixels that NumPy computes."""

import numpy as np
import numpy_data
import pytest

pytest.importorskip('tensorflow')

import tensorflow as tf

from d2l_vgg.tensorflow import FashionMNIST

MOVES = {'flip': True, 'shift': 2}


def make(cls, **options):
    asked = {'batch_size': 32, **options}
    return cls(num_train=100, num_val=40, **asked)


@pytest.mark.parametrize(
    'resize', [(224, 224), (56, 56), (28, 28), (64, 40), (20, 20)]
)
@pytest.mark.parametrize('moves', [{}, MOVES], ids=['still', 'moved'])
def test_an_epoch_is_that_of_numpy(resize, moves):
    ours = make(FashionMNIST, resize=resize, **moves).train_dataloader()
    theirs = make(numpy_data.FashionMNIST, resize=resize, **moves)
    theirs = theirs.train_dataloader()
    found = list(ours.start_at(1, [5, 0]))
    expected = list(theirs.start_at(1, [5, 0]))
    assert len(found) == len(expected) == 3
    width, height = resize
    for (X, y), (Z, labels) in zip(found, expected):
        assert X.dtype == tf.float32 and y.dtype == tf.int32
        assert X.shape == (len(labels), height, width, 1)
        np.testing.assert_array_equal(y, labels)
        # Where a sum ends in a half, its order decides
        difference = np.abs(X.numpy()[..., 0] - Z[:, 0]) * 255
        assert difference.max() < 1.01
        assert (difference > 0.01).mean() < 1e-3


def test_arrays_of_the_module():
    data = make(FashionMNIST)
    X, y = next(iter(data.val_dataloader()))
    assert isinstance(data.to_numpy(X), np.ndarray)
    np.testing.assert_array_equal(data.to_numpy(y), data.val[1][:32])
    assert data.text_labels(data.to_numpy(y)[:1]) == data.text_labels(
        data.val[1][:1]
    )


def test_visualize():
    import matplotlib.pyplot as plt

    plt.switch_backend('agg')
    data = make(FashionMNIST)
    batch = next(iter(data.val_dataloader()))
    data.visualize(batch)
    axes = plt.gcf().axes
    assert [ax.get_title() for ax in axes] == data.text_labels(
        data.val[1][:8]
    )
    assert all(ax.images for ax in axes)
    plt.close('all')
