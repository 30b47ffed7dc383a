"""Fashion-MNIST in PyTorch: the pixels and the order of every framework."""

import numpy as np
import pytest

pytest.importorskip('torch')

import numpy_data
import torch

from d2l_vgg.torch import FashionMNIST

SMALL = {'num_train': 100, 'num_val': 40}


@pytest.mark.parametrize('moves', [{}, {'flip': True, 'shift': 2}])
@pytest.mark.parametrize('resize', [28, (56, 40), 96, 20])
def test_minibatches_are_those_in_numpy(resize, moves):
    """The same order, the same moves, and but for a rounding the pixels."""
    loaders = [
        cls(32, resize, **SMALL, **moves).train_dataloader()
        for cls in (FashionMNIST, numpy_data.FashionMNIST)
    ]
    batches = [list(loader.start_at(1, [0, 2])) for loader in loaders]
    assert [len(y) for _, y in batches[0]] == [32, 32, 4]
    differs = []
    for (X, y), (right, labels) in zip(*batches):
        assert X.dtype == torch.float32 and y.dtype == torch.int64
        np.testing.assert_array_equal(y, labels)
        assert X.shape == right.shape
        differs.append(np.abs(X.numpy() - right).ravel())
    differs = np.concatenate(differs)
    assert differs.max() < 1.1 / 255
    # In the middle between two grey levels, rounding may decide either way
    assert (differs > 1e-6).mean() < 1.5e-3


def test_validation_images_stay_as_they_are():
    data = FashionMNIST(64, **SMALL, flip=True, shift=2)
    ((X, y),) = data.val_dataloader()
    np.testing.assert_array_equal(X[:, 0] * 255, data.val[0])
    assert data.text_labels(y[:2]) == data.text_labels(data.val[1][:2])


def test_visualize():
    import matplotlib.pyplot as plt

    plt.switch_backend('agg')
    data = FashionMNIST(64, **SMALL)
    batch = next(iter(data.val_dataloader()))
    data.visualize(batch)
    titles = [ax.get_title() for ax in plt.gcf().axes]
    plt.close('all')
    assert titles == data.text_labels(batch[1][:8])
