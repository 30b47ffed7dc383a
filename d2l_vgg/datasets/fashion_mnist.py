"""Find, verify and read the four files of Fashion-MNIST, fetched if need be.

A file is believed by the SHA-256 of its uncompressed content alone, so it
may come from any folder, any mirror and any packer, and is never half read.
"""

from __future__ import annotations

import os
import warnings
from typing import Iterable, NamedTuple, Sequence

import numpy as np

from d2l_vgg.datasets import download, kaggle
from d2l_vgg.datasets.idx import BadFile, CannotRead, File, read
from d2l_vgg.datasets.places import absolute, default_root, given, places

TEXT_LABELS = (
    't-shirt',
    'trouser',
    'pullover',
    'dress',
    'coat',
    'sandal',
    'shirt',
    'sneaker',
    'bag',
    'ankle boot',
)


FILES = (
    File(
        'train-images-idx3-ubyte',
        (60000, 28, 28),
        'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
    ),
    File(
        'train-labels-idx1-ubyte',
        (60000,),
        'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9',
    ),
    File(
        't10k-images-idx3-ubyte',
        (10000, 28, 28),
        '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b',
    ),
    File(
        't10k-labels-idx1-ubyte',
        (10000,),
        '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34',
    ),
)

# Kaggle's, which have the images and their labels in one
TABLES = (
    kaggle.Table(
        'fashion-mnist_train.csv',
        *FILES[:2],
        '0c69d5cdeb902b69084012f812f066de080317bb3c64f43ca87f910d8ec86906',
    ),
    kaggle.Table(
        'fashion-mnist_test.csv',
        *FILES[2:],
        '90c92c0507755a7d443edde8297ce4d0f131e42884e2e87e7fc9b81ffe215258',
    ),
)

# MXNet's own archive is none of them: it holds other images of the same data
# set, divided otherwise (chapter/reproduce.md)
MIRRORS = (
    'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/',
    'https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/'
    'master/data/fashion/',
    'https://storage.googleapis.com/tensorflow/tf-keras-datasets/',
)


class Data(NamedTuple):
    """The whole data set in memory, and where it came from.

    Images are uint8 arrays of shape (number of examples, 28, 28), 0 for the
    background to 255; labels are uint8 arrays of shape (number of
    examples,), indices into `TEXT_LABELS`.
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    val_images: np.ndarray
    val_labels: np.ndarray
    source: str
    stand_in: bool = False


class DataNotFound(FileNotFoundError):
    """Neither the files nor a way to download them."""


def text_labels(indices: Iterable[int]) -> list[str]:
    """Return the list of the names that belong to a sequence of labels."""
    return [TEXT_LABELS[int(i)] for i in indices]


def load(
    root: str | None = None,
    download: bool = True,
    progress: bool = True,
    *,
    mirrors: Iterable[str] = MIRRORS,
    timeout: float = 10,
    files: Sequence[File] = FILES,
    tables: Sequence = TABLES,
) -> Data:
    """Read Fashion-MNIST, downloading to `root` what is found nowhere.

    Each file is taken from the first of `places(root)` that holds it whole,
    as plain IDX or packed by gzip. Where some are in none of them, Kaggle's
    two CSV files are looked for; if their rows are in another order than
    Zalando's, `source` says so, and runs do not repeat those on Zalando's.
    Without `root`, `default_root()` takes the downloads. The data set is that
    of Xiao et al., Fashion-MNIST: a Novel Image Dataset for Benchmarking
    Machine Learning Algorithms (2017).

    Returns:
        A `Data` of 60000 training and 10000 validation examples.

    Raises:
        BadFile: a file in `root` is not whole. (One in a folder that is
            merely searched is passed over with a warning.)
        CannotRead: a file in `root` is there and cannot be read.
        DataNotFound: no files and no network.
        OSError: the folder for the downloads cannot be written.
    """
    if root and os.path.isfile(absolute(root)):
        raise NotADirectoryError(
            f'{root} is not a folder; name the folder that holds the four '
            'files of Fashion-MNIST.'
        )
    found = []
    for file in files:
        found.append(_first_whole(file, read, root))
    for i, table in enumerate(tables):
        half = slice(2 * i, 2 * i + 2)
        if None in found[half]:
            hit = _first_whole(table, kaggle.read, root)
            found[half] = _both(table, *hit) if hit else found[half]
    missing = [file for file, hit in zip(files, found) if hit is None]
    if missing:
        folder = absolute(root or default_root())
        if not download:
            raise _not_found(folder, ['downloading is switched off'])
        fetch(folder, mirrors, progress, timeout, missing)
        for i, file in enumerate(files):
            if found[i] is None:
                path = os.path.join(folder, file.archive)
                found[i] = folder, read(path, file)
    folders = dict.fromkeys(folder for folder, _ in found)
    arrays = [array for _, array in found]
    return Data._make([*arrays, ', '.join(folders), False])


def status(
    root: str | None = None,
    files: Iterable[File] = FILES,
    tables: Sequence = TABLES,
) -> list[tuple[str, str | None, str]]:
    """Return what is known of each file, for the eyes of a user.

    Returns:
        A list of tuples (name, path, state). `state` is 'whole' when the
        file will be read from `path`; otherwise it tells the first bad one
        ('truncated', 'altered', 'not IDX', 'not CSV', or 'unreadable', of
        which nothing is known), or is 'missing'
        when `path` is None. Kaggle's CSV file may be what `path` names.
    """
    rows = []
    for i, file in enumerate(files):
        path, state = _first_state(file, read, root)
        if state != 'whole' and i // 2 < len(tables):
            table = tables[i // 2]
            found = _first_state(table, kaggle.read, root)
            if found[1] == 'whole' or path is None:
                path, state = found
        rows.append((file.name, path, state))
    return rows


def fetch(
    folder: str | None = None,
    mirrors: Iterable[str] = MIRRORS,
    progress: bool = True,
    timeout: float = 10,
    files: Iterable[File] = FILES,
) -> str:
    """Download to a folder the files that it does not hold whole.

    A download that breaks leaves a `.part` file, with which it goes on, now
    or the next time. A bad file that stands in the way is renamed.

    Args:
        folder: by default `default_root()`; made when it is missing.
        mirrors: addresses of folders, asked in this order.
        progress: whether to show a bar, and a note for a failed mirror.
        timeout: seconds without a byte after which a mirror has failed.

    Returns:
        The folder.

    Raises:
        DataNotFound: every mirror failed.
        OSError: the folder cannot be written.
    """
    folder = absolute(folder or default_root())
    try:
        failures = download.fetch(files, folder, mirrors, progress, timeout)
    except CannotRead:
        raise
    except OSError as error:
        raise OSError(
            f'Fashion-MNIST cannot be written to the folder {folder} '
            f'({error.strerror or error}); name another one, for example in '
            '$D2L_VGG_DATA.'
        ) from error
    if failures:
        raise _not_found(folder, failures)
    return folder


def _first_whole(file, read, root):
    """The folder of the first whole file and what `read` gives, or None."""
    of_user = given(root)
    for folder in places(root):
        problems, found = [], None
        try:
            for path in file.paths_in(folder):
                try:
                    found = read(path, file)
                    break
                except (BadFile, CannotRead) as error:
                    problems.append(error)
        except CannotRead as error:
            problems.append(error)
        if problems and found is None and folder in of_user:
            raise problems[0]
        for problem in problems:
            warnings.warn(f'passed over: {problem}', stacklevel=3)
        if found is not None:
            return folder, found
    return None


def _both(table, folder, content):
    """What `kaggle.read` gave, as of two files."""
    images, labels, in_order = content
    if not in_order:
        folder += f" (in the order of Kaggle's {table.name})"
    return [(folder, images), (folder, labels)]


def _first_state(file, read, root):
    """The path and the state of the first whole file, or of a bad one."""
    first = None, 'missing'
    for folder in places(root):
        try:
            paths = file.paths_in(folder)
        except CannotRead:
            paths = []
            first = (folder, 'unreadable') if first[0] is None else first
        for path in paths:
            try:
                read(path, file)
                return path, 'whole'
            except BadFile as error:
                state = error.state
            except CannotRead:
                state = 'unreadable'
            if first[0] is None:
                first = path, state
    return first


def _not_found(folder, reasons):
    """The error that tells what was tried and what can be done."""
    names = ', '.join(file.archive for file in FILES)
    return DataNotFound(
        f'Fashion-MNIST is not whole in {folder} and could not be '
        f'downloaded: {"; ".join(reasons)}. Put its files ({names}, from '
        f'{MIRRORS[0]}) there, or take the stand-in that is drawn by code: '
        '`--data stand-in` on the command line, `stand_in.load()` in Python.'
    )
