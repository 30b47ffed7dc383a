"""Fashion-MNIST on the device: the pixels of d2l's loader without it."""

import itertools

import few_images
import numpy as np
import pytest

pytest.importorskip('mxnet')

from mxnet import np as mnp
from mxnet.gluon.data.vision import transforms

from d2l_vgg.mxnet import FashionMNIST
from d2l_vgg.mxnet.data import Minibatches

DATA = few_images.load(200, 50)


def loader(resize=(28, 28), batch_size=64, shuffle=False, **moves):
    return Minibatches(
        DATA.train_images,
        DATA.train_labels,
        batch_size,
        resize,
        shuffle,
        None,
        **moves,
    )


@pytest.mark.parametrize(
    'resize', [(224, 224), (96, 96), (56, 56), (28, 28), (64, 40), (20, 20)]
)
def test_pixels_equal_those_of_the_stock_transforms(resize):
    """d2l: OpenCV's bilinear interpolation on uint8, then to [0, 1]."""
    stock = transforms.Compose(
        [transforms.Resize(resize), transforms.ToTensor()]
    )
    X, y = next(iter(loader(resize, batch_size=32)))
    expected = np.stack(
        [
            stock(mnp.array(image[..., None], dtype='uint8')).asnumpy()
            for image in DATA.train_images[:32]
        ]
    )
    assert X.shape == expected.shape == (32, 1, resize[1], resize[0])
    assert X.dtype == np.float32 and y.dtype == np.int32
    difference = np.abs(X.asnumpy() - expected)
    assert difference.max() <= 1 / 255 + 1e-6
    # OpenCV truncates between its two passes, and so rounds down too often
    assert (difference > 1e-6).mean() < 0.07
    np.testing.assert_array_equal(y.asnumpy(), DATA.train_labels[:32])


def test_an_epoch_holds_every_example_once():
    images = []
    batches = list(loader(batch_size=64, shuffle=True))
    assert [len(y) for _, y in batches] == [64, 64, 64, 8]
    for X, _ in batches:
        images.extend(np.rint(X.asnumpy() * 255).astype('uint8'))
    found = sorted(image.tobytes() for image in images)
    assert found == sorted(image.tobytes() for image in DATA.train_images)


def test_images_keep_their_labels_when_shuffled():
    by_image = {
        image.tobytes(): label
        for image, label in zip(DATA.train_images, DATA.train_labels)
    }
    for X, y in loader(shuffle=True):
        X = np.rint(X.asnumpy() * 255).astype('uint8')
        for image, label in zip(X, y.asnumpy()):
            assert by_image[image.tobytes()] == label


def moved(image, down, right, mirrored):
    """Move an image with NumPy's own functions; what comes in is black."""
    image = image[:, ::-1] if mirrored else image
    image = np.roll(np.pad(image, 3), (down, right), axis=(0, 1))
    return image[3:-3, 3:-3]


@pytest.mark.parametrize('flip', [False, True])
@pytest.mark.parametrize('shift', [0, 2])
def test_flips_and_shifts_are_drawn_evenly(flip, shift):
    """Each moved image is one of the possible ones, each about as often."""
    steps = range(-shift, shift + 1)
    moves = list(itertools.product(steps, steps, [False, True][: flip + 1]))
    counts = dict.fromkeys(moves, 0)
    np.random.seed(0)
    batches = loader(flip=flip, shift=shift)
    for _ in range(3):
        X = np.concatenate([X.asnumpy() for X, _ in batches])
        X = np.rint(X[:, 0] * 255).astype('uint8')
        for image, original in zip(X, DATA.train_images):
            found = [m for m in moves if (image == moved(original, *m)).all()]
            assert found
            counts[found[0]] += 1
    # Standard deviations of a binomial distribution of 600 draws
    sd = np.sqrt(600 / len(moves))
    assert all(abs(n - 600 / len(moves)) < 4 * sd for n in counts.values())


def test_moved_images_are_resized_like_others():
    image = DATA.train_images[:1]
    batches = Minibatches(
        image, [0], 1, (56, 40), False, None, flip=True, shift=1
    )
    possible = [
        Minibatches(moved(image[0], *move)[None], [0], 1, (56, 40), 0, None)
        for move in itertools.product([-1, 0, 1], [-1, 0, 1], [False, True])
    ]
    ((X, _),) = batches
    assert X.shape == (1, 1, 40, 56)
    assert any((X == next(iter(p))[0]).all() for p in possible)


def test_a_moved_epoch_can_be_entered_in_the_middle():
    batches = loader(shuffle=True, flip=True, shift=2)
    whole, again, rest = (
        [X.asnumpy() for X, _ in batches.start_at(first, [0, epoch])]
        for first, epoch in [(0, 0), (0, 1), (2, 0)]
    )
    assert len(rest) == 2
    for X, same, other in zip(rest, whole[2:], again[2:]):
        np.testing.assert_array_equal(X, same)
        assert not np.array_equal(X, other)


def test_validation_images_are_not_moved():
    data = FashionMNIST(50, num_train=100, num_val=50, flip=True, shift=2)
    ((X, _),) = data.val_dataloader()
    expected = data.val[0].astype('float32') / 255
    np.testing.assert_allclose(X.asnumpy()[:, 0], expected, rtol=1e-6)
    originals = {image.tobytes() for image in data.train[0]}
    shown = np.concatenate([X.asnumpy() for X, _ in data.train_dataloader()])
    shown = np.rint(shown * 255).astype('uint8')
    # One image in fifty is neither mirrored nor moved
    assert sum(image.tobytes() in originals for image in shown) < 20


@pytest.fixture(scope='module')
def small():
    return FashionMNIST(32, (56, 56), num_train=100, num_val=40)


def test_dataloaders_of_the_module(small):
    assert len(small.train_dataloader()) == 4
    assert len(small.val_dataloader()) == 2
    X, y = next(iter(small.val_dataloader()))
    assert X.shape == (32, 1, 56, 56) and y.shape == (32,)


def test_validation_is_not_shuffled(small):
    first, second = (
        np.concatenate([y.asnumpy() for _, y in small.val_dataloader()])
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


def test_text_labels(small):
    assert small.text_labels([0, 9]) == ['t-shirt', 'ankle boot']
    assert small.text_labels(mnp.array([2], dtype='int32')) == ['pullover']


def test_visualize(small):
    import matplotlib.pyplot as plt

    plt.switch_backend('agg')
    batch = next(iter(small.val_dataloader()))
    small.visualize(batch)
    axes = plt.gcf().axes
    titles = [ax.get_title() for ax in axes]
    assert titles == small.text_labels(batch[1][:8])
    assert all(ax.images for ax in axes)
    plt.close('all')


def test_all_of_fashion_mnist():
    data = FashionMNIST(batch_size=128, resize=(28, 28))
    assert len(data.train_dataloader()) == 469
    assert len(data.val_dataloader()) == 79
    X, y = next(iter(data.val_dataloader()))
    # The first of Zalando's validation set is an ankle boot
    assert data.text_labels(y[:1]) == ['ankle boot']
    assert 0 <= float(X.min()) and float(X.max()) <= 1
