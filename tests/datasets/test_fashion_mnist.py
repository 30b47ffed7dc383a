"""The four files: found in their places, verified, read.

A table of four small files stands for the real one where content is free.
"""

import gzip
import os
import re
import time
import warnings

import numpy as np
import pytest
from small_files import (
    ARCHIVE,
    ARCHIVES,
    CONTENT,
    FILES,
    IMAGES,
    PLAIN,
    check,
    flip,
    load,
    put,
)

from d2l_vgg.datasets import fashion_mnist
from d2l_vgg.datasets.fashion_mnist import BadFile, DataNotFound

# The real data set


def test_real_files(real_root):
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        data = fashion_mnist.load(real_root, download=False)
    assert data.train_images.shape == (60000, 28, 28)
    assert data.val_images.shape == (10000, 28, 28)
    assert np.bincount(data.train_labels).tolist() == [6000] * 10
    assert np.bincount(data.val_labels).tolist() == [1000] * 10
    # The mean and the standard deviation that everybody normalizes with
    assert data.train_images.mean() / 255 == pytest.approx(0.2860, abs=5e-5)
    assert data.train_images.std() / 255 == pytest.approx(0.3530, abs=5e-5)
    assert fashion_mnist.text_labels(data.val_labels[:4]) == [
        'ankle boot',
        'pullover',
        'trouser',
        'trouser',
    ]
    assert data.source == os.path.abspath(real_root)


def test_sizes_of_the_real_files():
    # As the authors of the data set state them
    sizes = [file.num_bytes for file in fashion_mnist.FILES]
    assert sizes == [47040016, 60008, 7840016, 10008]


def test_text_labels():
    assert fashion_mnist.text_labels(np.array([9, 0])) == [
        'ankle boot',
        't-shirt',
    ]


# Places


def test_order_of_places(nowhere, monkeypatch):
    home, here = nowhere / 'home', nowhere / 'work' / 'here'
    monkeypatch.setenv('D2L_VGG_DATA', str(nowhere / 'env'))
    places = fashion_mnist.places(nowhere / 'given')
    expected = [
        nowhere / 'given',
        nowhere / 'env',
        here / 'data',
        here / 'data' / 'FashionMNIST' / 'raw',
        here.parent / 'data',
        here.parent / 'data' / 'FashionMNIST' / 'raw',
        home / '.cache' / 'd2l_vgg' / 'fashion-mnist',
        home / '.mxnet' / 'datasets' / 'fashion-mnist',
        home / '.keras' / 'datasets' / 'fashion-mnist',
    ]
    indices = [places.index(str(folder)) for folder in expected]
    assert indices == sorted(indices)
    assert indices[0] == 0
    assert len(places) == len(set(places))


def test_default_root(nowhere, monkeypatch):
    cache = nowhere / 'home' / '.cache' / 'd2l_vgg' / 'fashion-mnist'
    assert fashion_mnist.default_root() == str(cache)
    monkeypatch.setenv('XDG_CACHE_HOME', str(nowhere / 'xdg'))
    expected = nowhere / 'xdg' / 'd2l_vgg' / 'fashion-mnist'
    assert fashion_mnist.default_root() == str(expected)
    assert str(expected) in fashion_mnist.places()
    monkeypatch.setenv('MXNET_HOME', str(nowhere / 'mx'))
    assert str(nowhere / 'mx' / 'datasets' / 'fashion-mnist') in (
        fashion_mnist.places()
    )
    monkeypatch.setenv('D2L_VGG_DATA', str(nowhere / 'env'))
    assert fashion_mnist.default_root() == str(nowhere / 'env')


@pytest.mark.parametrize('packed', [True, False])
@pytest.mark.parametrize(
    'place',
    [
        'home/.cache/d2l_vgg/fashion-mnist',
        'home/.mxnet/datasets/fashion-mnist',
        'home/.keras/datasets/fashion-mnist',
        'work/data/FashionMNIST/raw',
        'work/here/data',
    ],
)
def test_finds_files_in_each_place(nowhere, place, packed):
    folder = put(nowhere / place, packed)
    data = load(download=False)
    check(data)
    assert data.source == str(folder)


def test_given_folder_comes_first(nowhere, monkeypatch):
    put(nowhere / 'env')
    monkeypatch.setenv('D2L_VGG_DATA', str(nowhere / 'env'))
    given = put(nowhere / 'given')
    assert load(given).source == str(given)
    assert load().source == str(nowhere / 'env')
    # As torchvision is told it: the folder above FashionMNIST/raw
    torchvision = put(nowhere / 'root' / 'FashionMNIST' / 'raw')
    assert load(nowhere / 'root').source == str(torchvision)
    # An empty given folder is no obstacle
    (nowhere / 'empty').mkdir()
    assert load(nowhere / 'empty').source == str(nowhere / 'env')


def test_home_is_expanded(nowhere):
    folder = put(nowhere / 'home' / 'mine')
    assert load('~/mine').source == str(folder)


def test_files_may_lie_apart(nowhere):
    first = put(nowhere / 'work' / 'here' / 'data')
    second = put(nowhere / 'home' / 'data')
    (first / (FILES[3].name + '.gz')).unlink()
    data = load(download=False)
    check(data)
    assert data.source == f'{first}, {second}'


def test_a_name_that_lies_about_packing(nowhere):
    # Browsers unpack archives and keep their names, or the other way round
    folder = nowhere / 'given'
    folder.mkdir()
    for file in FILES:
        (folder / (file.name + '.gz')).write_bytes(CONTENT[file.name])
    check(load(folder))
    for file in FILES:
        os.remove(folder / (file.name + '.gz'))
        (folder / file.name).write_bytes(ARCHIVES[file.name + '.gz'])
    check(load(folder))


def test_a_file_is_no_folder(nowhere):
    (nowhere / 'file').write_bytes(b'')
    with pytest.raises(NotADirectoryError, match='file is not a folder'):
        load(nowhere / 'file')


def test_arrays_can_be_written(nowhere):
    data = load(put(nowhere / 'given'))
    data.train_images[0] = 0
    assert data.train_images[0].max() == 0


# Bad files


BAD = {
    'empty': (b'', 'truncated', f'0 of {len(PLAIN)} bytes'),
    'stub': (PLAIN[:3], 'truncated', f'3 of {len(PLAIN)} bytes'),
    'header only': (PLAIN[:16], 'truncated', f'16 of {len(PLAIN)} bytes'),
    'plain cut': (PLAIN[:-1], 'truncated', f'of {len(PLAIN)} bytes'),
    'gzip cut': (ARCHIVE[:-100], 'truncated', 'end too early'),
    'gzip header only': (ARCHIVE[:5], 'truncated', 'end too early'),
    'gzip of a cut file': (gzip.compress(PLAIN[:99]), 'truncated', '99 of'),
    'one bit of a pixel': (flip(PLAIN, 5000), 'altered', 'SHA-256'),
    'one bit of the shape': (flip(PLAIN, 7), 'altered', 'SHA-256'),
    'packed anew': (gzip.compress(flip(PLAIN, 99)), 'altered', 'SHA-256'),
    'one bit of the gzip sum': (flip(ARCHIVE, -6), 'altered', 'damaged'),
    'gzip rubbish': (ARCHIVE[:10] + b'\xff' * 99, 'altered', 'damaged'),
    'too long': (PLAIN + b'\0', 'altered', f'more than {len(PLAIN)} bytes'),
    'a bomb': (gzip.compress(PLAIN + bytes(10**7)), 'altered', 'more than'),
    'labels as images': (CONTENT[FILES[1].name], 'not IDX', '00000801'),
    'a web page': (b'<!DOCTYPE html><html>', 'not IDX', b'<!DO'.hex()),
    'a packed web page': (gzip.compress(b'<html>'), 'not IDX', '3c68746d'),
}


@pytest.mark.parametrize('suffix', ['', '.gz'])
@pytest.mark.parametrize('kind', BAD)
def test_bad_file_in_the_given_folder(nowhere, kind, suffix):
    data, state, detail = BAD[kind]
    folder = put(nowhere / 'given')
    os.remove(folder / (IMAGES.name + '.gz'))
    path = folder / (IMAGES.name + suffix)
    path.write_bytes(data)
    # A whole set elsewhere does not hide that the user's own is bad
    put(nowhere / 'work' / 'here' / 'data')
    with pytest.raises(BadFile, match=re.escape(detail)) as caught:
        load(folder)
    assert caught.value.state == state
    message = str(caught.value)
    assert message.startswith(f'{path} is {state}: ')
    assert 'delete it' in message
    assert '\n' not in message
    # Nothing of the user's is touched
    assert path.read_bytes() == data


def test_bad_file_in_a_searched_folder_is_passed_over(nowhere, monkeypatch):
    bad = put(nowhere / 'env')
    path = bad / (FILES[2].name + '.gz')
    path.write_bytes(b'')
    monkeypatch.setenv('D2L_VGG_DATA', str(bad))
    good = put(nowhere / 'home' / 'data')
    with pytest.warns(UserWarning) as caught:
        data = fashion_mnist.load(download=False, files=FILES)
    check(data)
    assert data.source == f'{bad}, {good}'
    assert f'passed over: {path} is truncated' in str(caught[0].message)
    assert caught[0].filename == __file__


def test_whole_twin_of_a_bad_file(nowhere):
    folder = put(nowhere / 'given')
    (folder / IMAGES.name).write_bytes(PLAIN[:100])
    with pytest.warns(UserWarning, match='passed over'):
        check(load(folder))


def test_file_without_permission(nowhere):
    folder = put(nowhere / 'given')
    path = folder / (IMAGES.name + '.gz')
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip('this user (root?) may read every file')
    with pytest.raises(BadFile, match='is unreadable: Permission denied'):
        load(folder)


def test_status(nowhere):
    folder = put(nowhere / 'given')
    images, labels, val_images, val_labels = FILES
    (folder / (images.name + '.gz')).write_bytes(ARCHIVE[:1000])
    (folder / (labels.name + '.gz')).unlink()
    (folder / (val_images.name + '.gz')).write_bytes(ARCHIVE)
    (folder / (val_labels.name + '.gz')).unlink()
    elsewhere = put(nowhere / 'work' / 'here' / 'data')
    for name in (images.name, labels.name, val_images.name):
        (elsewhere / (name + '.gz')).unlink()
    end = '-idx3-ubyte.gz'
    assert fashion_mnist.status(folder, FILES) == [
        (images.name, str(folder / ('train-images' + end)), 'truncated'),
        (labels.name, None, 'missing'),
        (val_images.name, str(folder / ('t10k-images' + end)), 'altered'),
        (
            val_labels.name,
            str(elsewhere / (val_labels.name + '.gz')),
            'whole',
        ),
    ]


# Neither files nor network


def test_no_files_and_no_network(nowhere, dead_address):
    start = time.monotonic()
    with pytest.raises(DataNotFound) as caught:
        load(mirrors=[dead_address])
    assert time.monotonic() - start < 5
    message = str(caught.value)
    assert isinstance(caught.value, FileNotFoundError)
    assert fashion_mnist.default_root() in message
    assert f'{dead_address} (no connection)' in message
    assert '`--data stand-in`' in message
    assert '`stand_in.load()`' in message
    for file in FILES:
        assert file.name in message
    assert '\n' not in message


def test_download_switched_off(nowhere):
    with pytest.raises(DataNotFound, match='switched off') as caught:
        load(nowhere / 'given', download=False)
    assert str(nowhere / 'given') in str(caught.value)
    assert not (nowhere / 'given').exists()
