"""Fashion-MNIST on the device: the pixels of d2l's loader without it."""

import few_images
import numpy as np
import pytest

pytest.importorskip('mxnet')

from mxnet import np as mnp
from mxnet.gluon.data.vision import transforms

from d2l_vgg.mxnet.data import Minibatches

DATA = few_images.load(32, 1)


@pytest.mark.parametrize(
    'resize', [(224, 224), (96, 96), (56, 56), (28, 28), (64, 40), (20, 20)]
)
def test_pixels_equal_those_of_the_stock_transforms(resize):
    """d2l: OpenCV's bilinear interpolation on uint8, then to [0, 1]."""
    stock = transforms.Compose(
        [transforms.Resize(resize), transforms.ToTensor()]
    )
    images, labels = DATA.train_images, DATA.train_labels
    ((X, y),) = Minibatches(images, labels, 32, resize, False, None)
    expected = np.stack(
        [
            stock(mnp.array(image[..., None], dtype='uint8')).asnumpy()
            for image in images
        ]
    )
    assert X.shape == expected.shape == (32, 1, resize[1], resize[0])
    difference = np.abs(X.asnumpy() - expected)
    assert difference.max() <= 1 / 255 + 1e-6
    # OpenCV truncates between its two passes, and so rounds down too often
    assert (difference > 1e-6).mean() < 0.07
    np.testing.assert_array_equal(y.asnumpy(), labels)
