"""Fashion-MNIST on the device: the order and the pixels NumPy computes.

How they are drawn is tested in `datasets/test_minibatches.py`.
"""

import numpy as np
import numpy_data
import pytest
from trainings import MOVES

SIZES = {'num_train': 100, 'num_val': 40}


@pytest.mark.parametrize('moves', [{}, MOVES], ids=['still', 'moved'])
@pytest.mark.parametrize('resize', [28, 224, (64, 40), 20])
def test_minibatches_are_those_of_numpy(framework, package, resize, moves):
    data, in_numpy = (
        cls(32, resize, **SIZES, **moves)
        for cls in (package.FashionMNIST, numpy_data.FashionMNIST)
    )
    batches, expected = (
        list(d.train_dataloader().start_at(1, [5, 0]))
        for d in (data, in_numpy)
    )
    assert [len(y) for _, y in batches] == [32, 32, 4]
    for (X, y), (right, labels) in zip(batches, expected):
        np.testing.assert_array_equal(data.to_numpy(y), labels)
        X = data.to_numpy(X)
        assert X.dtype == np.float32
        if framework.channels_last:
            X = X.transpose(0, 3, 1, 2)
        assert X.shape == right.shape
        # Where a sum ends in the middle between two grey levels, its order
        # decides
        difference = np.abs(X - right)
        assert difference.max() < 1.1 / 255
        assert (difference > 1e-5).mean() < 1.5e-3


def test_validation_images_stay_as_they_are_and_are_drawn(package):
    import matplotlib.pyplot as plt

    plt.switch_backend('agg')
    data = package.FashionMNIST(64, **SIZES, **MOVES)
    ((X, y),) = data.val_dataloader()
    found = data.to_numpy(X).reshape(-1, 28, 28) * 255
    np.testing.assert_allclose(found, data.val[0], rtol=1e-6)
    assert data.text_labels(y) == data.text_labels(data.val[1])
    data.visualize((X, y))
    axes = plt.gcf().axes
    plt.close('all')
    titles = [ax.get_title() for ax in axes]
    assert titles == data.text_labels(data.val[1][:8])
    assert all(ax.images for ax in axes)
