"""The four files of the package, and those of other sets of their form."""

import hashlib
import os
import pathlib

import few_images
import numpy as np
import pytest

from d2l_vgg.datasets import fashion_mnist
from d2l_vgg.datasets.idx import BadFile

NAMES = list(fashion_mnist.FILES)

# ------------------------------------------------------ Fashion-MNIST itself


def test_load_without_folder_returns_all_of_fashion_mnist():
    data = fashion_mnist.load()
    assert data.train_images.shape == (60000, 28, 28)
    assert data.val_images.shape == (10000, 28, 28)
    assert {array.dtype for array in data[:4]} == {np.dtype('uint8')}
    assert np.bincount(data.train_labels).tolist() == [6000] * 10
    assert np.bincount(data.val_labels).tolist() == [1000] * 10
    # The mean and the standard deviation that everybody normalizes with
    assert data.train_images.mean() / 255 == pytest.approx(0.2860, abs=5e-5)
    assert data.train_images.std() / 255 == pytest.approx(0.3530, abs=5e-5)
    assert [data.classes[i] for i in data.val_labels[:4]] == [
        'ankle boot',
        'pullover',
        'trouser',
        'trouser',
    ]
    assert data.source == 'Fashion-MNIST'


def test_files_of_package_are_those_that_zalando_publishes():
    folder = pathlib.Path(fashion_mnist.FOLDER)
    assert 'Copyright © 2017 Zalando SE' in (folder / 'LICENSE').read_text(
        encoding='utf-8'
    )
    lines = (folder / 'MD5SUMS').read_text().splitlines()
    published = dict(reversed(line.split()) for line in lines)
    assert sorted(published) == sorted(f'{name}.gz' for name in NAMES)
    for name, md5 in published.items():
        content = (folder / name).read_bytes()
        assert hashlib.md5(content).hexdigest() == md5


# ------------------------------------------------------ sets in other folders


@pytest.fixture
def folder(tmp_path):
    return few_images.write(tmp_path / 'set', few_images.noise())


def assert_holds(data, arrays):
    for found, array in zip(data[:4], arrays):
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize('packed', [True, False])
@pytest.mark.parametrize('size', [(28, 28), (32, 20), (1, 1)])
@pytest.mark.parametrize('num_classes', [1, 10, 49, 256])
def test_load_reads_images_of_any_size_and_number_of_classes(
    packed, size, num_classes, tmp_path
):
    arrays = few_images.noise(40, 10, size, num_classes)
    path = few_images.write(tmp_path / 'set', arrays, packed=packed)
    data = fashion_mnist.load(path)
    assert_holds(data, arrays)
    assert data.classes == tuple(str(i) for i in range(num_classes))
    assert data.source == path


def test_load_takes_names_of_classes_from_the_folder(tmp_path):
    names = ['お', 'き', 'す', 'ankle boot']
    arrays = few_images.noise(num_classes=4)
    path = few_images.write(tmp_path / 'set', arrays, names)
    assert fashion_mnist.load(path).classes == tuple(names)
    # A class may have no example, as in EMNIST's letters
    path = few_images.write(tmp_path / 'more', arrays, [*names, 'none'])
    assert len(fashion_mnist.load(path).classes) == 5


def test_load_finds_files_by_the_names_that_programs_unpack_to(folder):
    arrays = fashion_mnist.load(folder)[:4]
    renamed = 'TRAIN-IMAGES.IDX3-UBYTE.GZ', 't10k-labels.idx1-ubyte.gz'
    for new in renamed:
        old = new.lower().replace('.idx', '-idx')
        os.rename(os.path.join(folder, old), os.path.join(folder, new))
    assert_holds(fashion_mnist.load(folder), arrays)


def change(folder, name, how):
    path = os.path.join(folder, name)
    with open(path, 'rb') as file:
        content = file.read()
    with open(path, 'wb') as file:
        file.write(how(content))


TRAIN, LABELS = (NAMES[0] + '.gz', NAMES[1] + '.gz')


SIZE = 'declares 400 x 28 x 28 bytes and holds'
LARGE = 'declares 4294967295 x 4294967295 x 4294967295 bytes'


@pytest.mark.parametrize(
    'name, how, words',
    [
        (TRAIN, lambda c: c[:1000], 'is cut short or damaged'),
        (TRAIN, lambda c: b'', r'begins with the bytes \(none\)'),
        (LABELS, lambda c: b'<html>not found</html>', 'bytes 3c68746d'),
        # Files that are not packed
        (NAMES[0], lambda c: c[:-1], f'{SIZE} 313599'),
        (NAMES[0], lambda c: c + b'\0', f'{SIZE} more'),
        (NAMES[0], lambda c: c[:4] + b'\xff' * 12 + c[16:], LARGE),
        (NAMES[0], lambda c: b'\0\0\x08\x04' + c[4:], 'bytes 00000804'),
        (NAMES[1], lambda c: b'\0\0\x0d\x01' + c[4:], '1-dimensional byt'),
    ],
)
def test_load_refuses_file_that_is_not_what_it_declares(
    name, how, words, tmp_path
):
    packed = name.endswith('.gz')
    path = few_images.write(
        tmp_path / 'set', few_images.noise(), None, packed
    )
    change(path, name, how)
    with pytest.raises(BadFile, match=words) as caught:
        fashion_mnist.load(path)
    assert os.path.join(path, name) in str(caught.value)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize('name', NAMES)
def test_load_names_missing_file(name, folder):
    os.remove(os.path.join(folder, name + '.gz'))
    with pytest.raises(FileNotFoundError, match=f'{folder} has no {name}'):
        fashion_mnist.load(folder)
    with pytest.raises(FileNotFoundError, match='There is no folder .*none'):
        fashion_mnist.load(f'{folder}/none')


def test_load_refuses_files_of_two_sets(tmp_path):
    arrays = few_images.noise()
    fewer = [arrays[0], arrays[1][:-1], *arrays[2:]]
    path = few_images.write(tmp_path / 'fewer', fewer)
    with pytest.raises(BadFile, match='400 images and 399 labels'):
        fashion_mnist.load(path)
    larger = [*arrays[:2], *few_images.noise(size=(32, 32))[2:]]
    path = few_images.write(tmp_path / 'larger', larger)
    with pytest.raises(BadFile, match='28 x 28 pixels and .* 32 x 32'):
        fashion_mnist.load(path)


@pytest.mark.parametrize(
    'names, words',
    [
        ('abc', 'names 3 classes, but the labels go from 0 to 9'),
        (['a', '', *'cdefghij'], "names a class '' in line 2"),
        (['', *'bcdefghij'], "names a class '' in line 1"),
        ([*'abcdefghi', ' c '], "names a class 'c' in line 10.* only once"),
        # Another line for Python, but not for an editor
        (['a\u2028b', *'cdefghijk'], r"names a class 'a\\u2028b' in line 1"),
        (['a\x1b[2J', *'bcdefghij'], r"names a class 'a\\x1b\[2J'"),
        (['Gr\udcf6', *'bcdefghij'], r"names a class 'Gr\\udcf6'.* UTF-8"),
        ([str(i) for i in range(257)], 'names 257 classes'),
    ],
)
def test_load_refuses_names_that_do_not_fit(names, words, tmp_path):
    path = few_images.write(tmp_path / 'set', few_images.noise(), names)
    with pytest.raises(BadFile, match=words):
        fashion_mnist.load(path)
