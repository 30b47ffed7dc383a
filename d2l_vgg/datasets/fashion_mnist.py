"""Find, fetch, verify and read the four files of Fashion-MNIST.

A file is believed by the SHA-256 of its uncompressed content alone, so it
may come from any folder, any mirror and any packer, and is never half read.
"""

import gzip
import hashlib
import os
import sys
import warnings
import zlib
from typing import NamedTuple, Tuple

import numpy as np
import requests
from tqdm import tqdm

from d2l_vgg.files import alone_in

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


class File(NamedTuple):
    """One file: its name when unpacked, its array's shape, its SHA-256."""

    name: str
    shape: Tuple[int, ...]
    sha256: str

    @property
    def header(self):
        """What the content begins with: the magic number and the shape."""
        magic = bytes([0, 0, 8, len(self.shape)])
        return magic + np.array(self.shape, '>i4').tobytes()

    @property
    def num_bytes(self):
        """The size of the uncompressed content."""
        return len(self.header) + int(np.prod(self.shape))


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


class BadFile(ValueError):
    """A file that is there and is not what its name says.

    `state` is one of 'truncated', 'altered', 'not IDX' and 'unreadable'.
    """

    def __init__(self, path, state, detail):
        super().__init__(
            f'{path} is {state}: {detail}; delete it to have it downloaded '
            'again, or name another folder.'
        )
        self.path, self.state = path, state


def divide_anew(data, seed):
    """Return the images of `data` in another division, drawn from `seed`.

    All are put together, shuffled, and divided so that each class keeps its
    number of training and of validation examples. It tells whether a
    validation set is easier or harder than others.

    Args:
        data: a `Data`
        seed: a whole number, 0 or more
    """
    rng = np.random.RandomState(seed)
    images = np.concatenate([data.train_images, data.val_images])
    labels = np.concatenate([data.train_labels, data.val_labels])
    order = rng.permutation(len(labels))
    is_val = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        of_class = order[labels[order] == label]
        is_val[of_class[: np.sum(data.val_labels == label)]] = True
    train, val = order[~is_val[order]], order[is_val[order]]
    return data._replace(
        train_images=images[train],
        train_labels=labels[train],
        val_images=images[val],
        val_labels=labels[val],
        source=f'{data.source}, divided anew from seed {seed}',
    )


def text_labels(indices):
    """Return the list of the names that belong to a sequence of labels."""
    return [TEXT_LABELS[int(i)] for i in indices]


def default_root():
    """Return the folder that downloads go to.

    That is $D2L_VGG_DATA or, when it is not set, a cache of our own: MXNet
    would replace what it finds in its cache by its own archive.
    """
    return _absolute(os.environ.get('D2L_VGG_DATA') or _own_cache())


def places(root=None):
    """Return the folders in which the files are looked for, in order.

    They are the given folder, $D2L_VGG_DATA, the data folders that d2l and
    torchvision use, our own cache, MXNet's and Keras's. Below each of the
    data folders, `FashionMNIST/raw` (torchvision's) and `fashion-mnist` count
    too.
    """
    folders = _with_subfolders(root) if root else []
    if os.environ.get('D2L_VGG_DATA'):
        folders += _with_subfolders(os.environ['D2L_VGG_DATA'])
    for folder in ('data', os.path.join('..', 'data')):
        folders += _with_subfolders(folder)
    folders += [_own_cache(), _mxnet_cache()]
    folders += _with_subfolders(os.path.join('~', 'data'))
    keras = os.environ.get('KERAS_HOME') or os.path.join('~', '.keras')
    folders.append(os.path.join(keras, 'datasets', 'fashion-mnist'))
    return list(dict.fromkeys(_absolute(folder) for folder in folders))


def load(
    root=None,
    download=True,
    progress=True,
    *,
    mirrors=MIRRORS,
    timeout=10,
    files=FILES,
):
    """Read Fashion-MNIST, downloading to `root` what is found nowhere.

    Each file is taken from the first of `places(root)` that holds it whole,
    as plain IDX or packed by gzip. Without `root`, `default_root()` takes
    the downloads. The data set is that of Xiao et al., Fashion-MNIST: a
    Novel Image Dataset for Benchmarking Machine Learning Algorithms (2017).

    Returns:
        A `Data` of 60000 training and 10000 validation examples.

    Raises:
        BadFile: a file in `root` is not whole. (One in a folder that is
            merely searched is passed over with a warning.)
        DataNotFound: no files and no network.
        OSError: the folder for the downloads cannot be written.
    """
    if root and os.path.isfile(_absolute(root)):
        raise NotADirectoryError(
            f'{root} is not a folder; name the folder that holds the four '
            'files of Fashion-MNIST.'
        )
    found = []
    for file in files:
        found.append(_first_whole(file, root))
    missing = [file for file, hit in zip(files, found) if hit is None]
    if missing:
        folder = _absolute(root or default_root())
        if not download:
            raise _not_found(folder, ['downloading is switched off'])
        fetch(folder, mirrors, progress, timeout, missing)
        for i, file in enumerate(files):
            if found[i] is None:
                path = os.path.join(folder, file.name + '.gz')
                found[i] = folder, read(path, file)
    folders = dict.fromkeys(folder for folder, _ in found)
    return Data(*[array for _, array in found], source=', '.join(folders))


def status(root=None, files=FILES):
    """Return what is known of each file, for the eyes of a user.

    Returns:
        A list of tuples (name, path, state). `state` is 'whole' when the
        file will be read from `path`; otherwise it tells the first bad one
        ('truncated', 'altered', 'not IDX', 'unreadable'), or is 'missing'
        when `path` is None.
    """
    rows = []
    for file in files:
        row = file.name, None, 'missing'
        for path in [
            path
            for folder in places(root)
            for path in _candidates(file, folder)
        ]:
            state = _state(path, file)
            if row[1] is None or state == 'whole':
                row = file.name, path, state
            if state == 'whole':
                break
        rows.append(row)
    return rows


def read(path, file):
    """Read one file, plain or packed, and return its uint8 array.

    Args:
        path: where it is.
        file: the `File` that it should be.

    Raises:
        BadFile: the content is not that of `file`, to the last bit.
    """
    try:
        with open(path, 'rb') as opened:
            packed = opened.read(2) == b'\x1f\x8b'
        with (gzip.open if packed else open)(path, 'rb') as opened:
            # The byte too much makes gzip check its sum, and shows a file
            # that is too long without reading all of it
            content = opened.read(file.num_bytes + 1)
    except EOFError:
        raise BadFile(
            path, 'truncated', 'its gzip data end too early'
        ) from None
    except (zlib.error, gzip.BadGzipFile):
        raise BadFile(path, 'altered', 'its gzip data are damaged') from None
    except OSError as error:
        raise BadFile(path, 'unreadable', error.strerror) from error
    magic = file.header[:4]
    if content[:4] != magic[: len(content)]:
        raise BadFile(
            path,
            'not IDX',
            f'it should begin with the bytes {magic.hex()} and begins with '
            f'{content[:4].hex()}',
        )
    if len(content) < file.num_bytes:
        raise BadFile(
            path,
            'truncated',
            f'it holds {len(content)} of {file.num_bytes} bytes',
        )
    if len(content) > file.num_bytes:
        raise BadFile(
            path, 'altered', f'it holds more than {file.num_bytes} bytes'
        )
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != file.sha256:
        raise BadFile(
            path,
            'altered',
            f'its SHA-256 is {sha256[:8]}..., not {file.sha256[:8]}... '
            "(MNIST, and MXNet's own archive, have files of the same names)",
        )
    array = np.frombuffer(content, np.uint8, offset=len(file.header))
    return array.reshape(file.shape).copy()


def fetch(
    folder=None, mirrors=MIRRORS, progress=True, timeout=10, files=FILES
):
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
    folder = _absolute(folder or default_root())
    mirrors = list(mirrors)
    failures = []
    try:
        os.makedirs(folder, exist_ok=True)
        waiting = f'waiting for another download to {folder}'
        with alone_in(folder, lambda: _note(waiting, progress)):
            for file in files:
                states = [_state(p, file) for p in _candidates(file, folder)]
                if 'whole' in states:
                    continue
                failures = _fetch_file(
                    file, folder, mirrors, progress, timeout
                )
                if failures:
                    break
    except OSError as error:
        raise OSError(
            f'Fashion-MNIST cannot be written to the folder {folder} '
            f'({error.strerror}); name another one, for example in '
            '$D2L_VGG_DATA.'
        ) from error
    if failures:
        raise _not_found(folder, failures)
    return folder


def _absolute(folder):
    return os.path.abspath(os.path.expanduser(os.fspath(folder)))


def _with_subfolders(folder):
    """The folder and those in it where other libraries put the files."""
    return [
        folder,
        os.path.join(folder, 'FashionMNIST', 'raw'),
        os.path.join(folder, 'fashion-mnist'),
    ]


def _own_cache():
    caches = os.environ.get('XDG_CACHE_HOME') or os.path.join('~', '.cache')
    return _absolute(os.path.join(caches, 'd2l_vgg', 'fashion-mnist'))


def _mxnet_cache():
    home = os.environ.get('MXNET_HOME') or os.path.join('~', '.mxnet')
    return _absolute(os.path.join(home, 'datasets', 'fashion-mnist'))


def _candidates(file, folder):
    """The paths in a folder at which a file is present, good or bad."""
    paths = [os.path.join(folder, file.name + end) for end in ('', '.gz')]
    return [path for path in paths if os.path.isfile(path)]


def _state(path, file):
    try:
        read(path, file)
    except BadFile as error:
        return error.state
    return 'whole'


def _first_whole(file, root):
    """The folder and the array of the first whole file, or None."""
    given = [_absolute(f) for f in _with_subfolders(root)] if root else []
    for folder in places(root):
        bad, array = [], None
        for path in _candidates(file, folder):
            try:
                array = read(path, file)
                break
            except BadFile as error:
                bad.append(error)
        if bad and array is None and folder in given:
            raise bad[0]
        for error in bad:
            warnings.warn(f'passed over: {error}', stacklevel=3)
        if array is not None:
            return folder, array
    return None


def _not_found(folder, reasons):
    """The error that tells what was tried and what can be done."""
    names = ', '.join(file.name + '.gz' for file in FILES)
    return DataNotFound(
        f'Fashion-MNIST is not whole in {folder} and could not be '
        f'downloaded: {"; ".join(reasons)}. Put its files ({names}, from '
        f'{MIRRORS[0]}) there, or take the stand-in that is drawn by code: '
        '`--data stand-in` on the command line, `stand_in.load()` in Python.'
    )


def _note(text, progress):
    if progress:
        tqdm.write(text, file=sys.stderr)


def _fetch_file(file, folder, mirrors, progress, timeout):
    """Download one file; return the failures if no mirror had it whole.

    A mirror that failed moves to the end of the list `mirrors`, so that the
    next file is asked of one that works.
    """
    path = os.path.join(folder, file.name + '.gz')
    part = path + '.part'
    failures = []
    for mirror in list(mirrors):
        url = mirror.rstrip('/') + '/' + file.name + '.gz'
        reason = _fetch_from(url, part, file, progress, timeout)
        if reason is None:
            if os.path.exists(path):
                os.replace(path, _free_name(path + '.bad'))
            os.replace(part, path)
            return []
        _note(f'{url}: {reason}', progress)
        failures.append(f'{mirror} ({reason})')
        mirrors.remove(mirror)
        mirrors.append(mirror)
    return failures


def _fetch_from(url, part, file, progress, timeout):
    """Bring `part` to the whole file; return None or why it failed."""
    # Whether all of `part` comes from this address
    anew = not os.path.exists(part)
    while True:
        start = _size(part)
        try:
            _download(url, part, progress, timeout)
        except requests.RequestException as error:
            if _size(part) > start:
                continue
            return _reason(error, timeout)
        try:
            read(part, file)
            return None
        except BadFile as error:
            if error.state == 'truncated' and _size(part) > start:
                continue
            os.remove(part)
            if anew:
                return f'what it sends is {error.state}'
            anew = True


def _download(url, part, progress, timeout):
    """Append to `part` what it lacks of the content of `url`."""
    start = _size(part)
    headers = {'Accept-Encoding': 'identity'}
    if start:
        headers['Range'] = f'bytes={start}-'
    with requests.get(
        url, headers=headers, stream=True, timeout=timeout
    ) as response:
        if start and response.status_code == 416:
            return  # There is no more than this
        response.raise_for_status()
        if response.status_code != 206:
            start = 0  # The server cannot resume and sends it all
        length = int(response.headers.get('Content-Length', 0))
        bar = tqdm(
            desc=os.path.basename(url),
            initial=start,
            total=start + length if length else None,
            unit='B',
            unit_scale=True,
            disable=not progress,
        )
        with open(part, 'ab' if start else 'wb') as opened, bar:
            # A chunk that breaks off is lost, so they are small
            for chunk in response.iter_content(2**13):
                opened.write(chunk)
                bar.update(len(chunk))


def _size(path):
    return os.path.getsize(path) if os.path.exists(path) else 0


def _free_name(path):
    """`path` itself, or with the first number that makes it free."""
    name, i = path, 1
    while os.path.exists(name):
        i += 1
        name = f'{path}{i}'
    return name


def _reason(error, timeout):
    """A failed request in a few words."""
    if getattr(error, 'response', None) is not None:
        return f'answers with status {error.response.status_code}'
    # A time-out in the middle of a body comes as a ConnectionError
    if isinstance(error, requests.Timeout) or 'timed out' in str(error):
        return f'no answer within {timeout} s'
    if isinstance(error, requests.ConnectionError):
        return 'no connection'
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return 'the connection broke'
    return f'the request failed with {type(error).__name__}'
