"""The four files: found in their places, verified, read.

A table of four small files stands for the real one where content is free.
"""

import gzip
import os
import pathlib
import re
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest
from processes import ROOT
from small_files import (
    ARCHIVE,
    ARCHIVES,
    ARRAYS,
    CONTENT,
    FILES,
    IMAGES,
    PLAIN,
    TABLES,
    check,
    flip,
    load,
    put,
    put_tables,
)

from d2l_vgg.datasets import fashion_mnist, kaggle, stand_in
from d2l_vgg.datasets.fashion_mnist import BadFile, CannotRead, DataNotFound

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


# Other names of the files


def rename(folder, change):
    for name in os.listdir(folder):
        os.rename(folder / name, folder / change(name))


@pytest.mark.parametrize('packed', [True, False])
@pytest.mark.parametrize(
    'change',
    [
        lambda name: name.replace('-idx', '.idx'),  # 7-Zip's
        lambda name: name.replace('-idx', '.idx').upper(),
        lambda name: name.replace('.gz', '.GZ').replace('ubyte', 'UBYTE'),
        str.title,
    ],
    ids=['7-Zip', '7-ZIP', 'suffix', 'title'],
)
def test_other_names(nowhere, packed, change):
    folder = put(nowhere / 'given', packed)
    rename(folder, change)
    data = load(folder, download=False)
    check(data)
    assert data.source == str(folder)
    rows = fashion_mnist.status(folder, FILES, TABLES)
    assert [state for _, _, state in rows] == ['whole'] * 4


def test_both_forms_and_both_names(nowhere):
    folder = put(nowhere / 'given')
    rename(folder, lambda name: name.replace('-idx', '.idx'))
    put(folder, packed=False)
    put(folder)
    check(load(folder))
    (folder / IMAGES.name).write_bytes(PLAIN[:100])
    (folder / (IMAGES.name + '.gz')).write_bytes(b'')
    with pytest.warns(UserWarning, match='passed over'):
        check(load(folder))


def test_tables_of_kaggle(nowhere):
    folder = put_tables(nowhere / 'given')
    data = load(folder, download=False)
    check(data)
    assert data.source == str(folder)
    rows = fashion_mnist.status(folder, FILES, TABLES)
    train, test = (str(folder / table.name) for table in TABLES)
    assert [row[1:] for row in rows] == [
        (train, 'whole'),
        (train, 'whole'),
        (test, 'whole'),
        (test, 'whole'),
    ]


def test_tables_of_windows_with_other_capitals(nowhere):
    folder = put_tables(nowhere / 'given', newline='\r\n')
    rename(folder, str.upper)
    check(load(folder, download=False))


def test_tables_in_another_order_say_so(nowhere):
    order = np.random.RandomState(0).permutation
    folder = put_tables(nowhere / 'given', order)
    data = load(folder, download=False)
    for table in TABLES:
        assert f"order of Kaggle's {table.name}" in data.source
    found = kaggle.unordered(data.train_images, data.train_labels)
    assert found == TABLES[0].sha256
    assert not np.array_equal(data.train_labels, ARRAYS[1])
    # The files of the same images come first
    put(nowhere / 'work' / 'here' / 'data')
    check(load(folder))


def test_a_table_replaces_both_of_its_files(nowhere):
    """Images of one order with the labels of another would be rubbish."""
    folder = put(nowhere / 'given')
    put_tables(folder, lambda n: range(n - 1, -1, -1))
    os.remove(folder / (FILES[1].name + '.gz'))
    data = load(folder, download=False)
    np.testing.assert_array_equal(data.train_images, ARRAYS[0][::-1])
    np.testing.assert_array_equal(data.train_labels, ARRAYS[1][::-1])
    np.testing.assert_array_equal(data.val_labels, ARRAYS[3])


def changed(old, new, count=1):
    return lambda text: text.replace(old, new, count)


@pytest.mark.parametrize(
    'change, state, detail',
    [
        (lambda text: text[: text.index(b'\n', 99999) + 1], 'truncated', 'r'),
        (lambda text: text[:99999], 'altered', 'a row is damaged'),
        (lambda text: text + text[-99:], 'altered', 'a row is damaged'),
        (
            lambda text: text + text.splitlines(True)[-1],
            'altered',
            'it holds 401 rows, not 400',
        ),
        (changed(b',', b',1', 1), 'altered', 'not those of Fashion-MNIST'),
        (lambda text: b'', 'not CSV', 'should name 785 columns'),
        (lambda text: b'<html>' * 999, 'not CSV', 'name 785 columns'),
    ],
    ids=['rows', 'cut', 'half', 'more', 'pixel', 'empty', 'html'],
)
def test_a_bad_table(nowhere, change, state, detail):
    folder = put_tables(nowhere / 'given')
    path = folder / TABLES[0].name
    head, text = path.read_bytes().split(b'\n', 1)
    whole = change(text)
    if state != 'not CSV':
        whole = head + b'\n' + whole
    path.write_bytes(whole)
    with pytest.raises(BadFile, match=detail) as caught:
        load(folder, download=False)
    assert caught.value.state == state
    assert str(caught.value).startswith(f'{path} is {state}: ')
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize('number', [b'256', b'-1', b'300'])
def test_a_number_that_is_no_byte(nowhere, number):
    folder = put_tables(nowhere / 'given')
    path = folder / TABLES[0].name
    lines = path.read_bytes().split(b'\n')
    lines[1] = lines[1].rsplit(b',', 1)[0] + b',' + number
    path.write_bytes(b'\n'.join(lines))
    with pytest.raises(BadFile, match='not between 0 and 255'):
        load(folder, download=False)


@pytest.mark.parametrize('shuffled', [True, False])
def test_a_table_of_the_real_images(nowhere, real_root, shuffled):
    """The smaller of both; the larger one takes a second to read."""
    data = fashion_mnist.load(real_root)
    for file in fashion_mnist.FILES[:2]:
        (path,) = file.paths_in(real_root)[:1]
        (nowhere / os.path.basename(path)).symlink_to(os.path.abspath(path))
    rows = np.column_stack(
        [data.val_labels, data.val_images.reshape(-1, 784)]
    )
    order = np.arange(10000)
    if shuffled:
        order = np.random.RandomState(0).permutation(10000)
    lines = [','.join(map(str, row)) for row in rows[order].tolist()]
    path = nowhere / 'fashion-mnist_test.csv'
    path.write_text('label' + ',pixel' * 784 + '\n' + '\n'.join(lines))
    start = time.process_time()
    again = fashion_mnist.load(nowhere, download=False)
    assert time.process_time() - start < 5
    assert ('in the order' in again.source) == shuffled
    np.testing.assert_array_equal(again.val_images, data.val_images[order])
    np.testing.assert_array_equal(again.val_labels, data.val_labels[order])


# Paths


def test_paths_may_be_of_any_kind(nowhere, monkeypatch):
    put(nowhere / 'home' / 'mine')
    for root in (pathlib.Path('~/mine'), '~/mine', nowhere / 'home' / 'mine'):
        check(load(root))
        assert fashion_mnist.places(root)[0] == str(nowhere / 'home' / 'mine')
    path = pathlib.Path('~/mine') / (IMAGES.name + '.gz')
    np.testing.assert_array_equal(fashion_mnist.read(path, IMAGES), ARRAYS[0])
    assert stand_in.is_asked_for(pathlib.Path('stand-in'))
    for name in ('XDG_CACHE_HOME', 'MXNET_HOME', 'KERAS_HOME'):
        monkeypatch.setenv(name, f'~/{name}')
        assert any(
            place.startswith(str(nowhere / 'home' / name))
            for place in fashion_mnist.places()
        )
    assert not any('~' in place for place in fashion_mnist.places())


def test_without_a_home_there_is_no_folder_of_that_name(nowhere, monkeypatch):
    """As in a container, whose user is in no list of users."""

    def unknown(uid):
        raise KeyError(uid)

    monkeypatch.delenv('HOME')
    monkeypatch.setattr('pwd.getpwuid', unknown)
    for ask in (
        lambda: load(mirrors=['http://127.0.0.1:9/']),
        lambda: load('~/mine'),
        lambda: fashion_mnist.fetch(mirrors=[]),
        fashion_mnist.default_root,
    ):
        with pytest.raises(FileNotFoundError, match='has no home folder'):
            ask()
    assert os.listdir('.') == []
    assert not any('~' in place for place in fashion_mnist.places())
    # Elsewhere they are found
    folder = put(nowhere / 'work' / 'here' / 'data')
    assert load().source == str(folder)
    # A folder may be called so
    check(load(put(nowhere / 'work' / 'here' / '~' / 'mine')))
    check(load(os.path.join('.', '~', 'mine')))


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


def unreadable(path):
    """Put something there that the system refuses to read, even to root."""
    if os.path.lexists(path):
        os.remove(path)
    os.symlink('/proc/self/mem', path)


def test_a_file_that_is_not_read_is_not_called_damaged(nowhere):
    folder = put(nowhere / 'given')
    path = folder / (IMAGES.name + '.gz')
    unreadable(path)
    with pytest.raises(CannotRead) as caught:
        load(folder)
    message = str(caught.value)
    assert message.startswith(f'{path} cannot be read (Input/output error)')
    assert 'delete' not in message and '\n' not in message
    assert fashion_mnist.status(folder, FILES, TABLES)[0][1:] == (
        str(path),
        'unreadable',
    )
    # It stands in the way of nothing where others are whole
    put(folder, packed=False)
    check(load(folder))


def test_a_file_that_is_not_read_is_not_replaced(nowhere, mirror):
    folder = nowhere / 'given'
    folder.mkdir()
    unreadable(folder / (IMAGES.name + '.gz'))
    server = mirror()
    with pytest.raises(CannotRead):
        fashion_mnist.fetch(folder, [server.address], False, files=FILES)
    assert os.listdir(folder) == [IMAGES.name + '.gz']
    assert server.requests == []


@pytest.mark.parametrize('given', [True, False])
def test_a_folder_that_is_not_read(nowhere, monkeypatch, given):
    folder = put(nowhere / 'given')
    whole = put(nowhere / 'work' / 'here' / 'data')

    def listdir(path, list_all=os.listdir):
        if str(path) == str(folder):
            raise PermissionError(13, 'Permission denied')
        return list_all(path)

    # What a user other than root sees of a locked folder
    monkeypatch.setattr(os, 'listdir', listdir)
    if given:
        with pytest.raises(CannotRead, match='given cannot be read .Permiss'):
            load(folder)
        rows = fashion_mnist.status(folder, FILES[:1])
        assert rows[0][2] == 'whole'
        return
    monkeypatch.setenv('D2L_VGG_DATA', str(folder))
    with pytest.warns(UserWarning, match='given cannot be read'):
        assert load().source == str(whole)


def test_too_little_memory_is_no_damage(nowhere):
    folder = put(nowhere / 'given')
    code = (
        'import resource, sys\n'
        'from d2l_vgg.datasets import fashion_mnist as f\n'
        'big = f.File(sys.argv[2], (10**6, 28, 28), "0")\n'
        'resource.setrlimit(resource.RLIMIT_AS, (600 * 2**20,) * 2)\n'
        'with open(sys.argv[1] + "/" + sys.argv[2], "wb") as file:\n'
        '    file.truncate(big.num_bytes); file.write(big.header)\n'
        'try: f.load(sys.argv[1], files=[big], tables=())\n'
        'except MemoryError: print("memory")'
    )
    done = subprocess.run(
        [sys.executable, '-c', code, str(folder), 'train-images-idx3-ubyte'],
        env=dict(os.environ, PYTHONPATH=ROOT),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert done.stdout == 'memory\n'


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
