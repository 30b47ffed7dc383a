"""Find, verify and read the four files of Fashion-MNIST, fetched if need be.

A file is believed by the SHA-256 of its uncompressed content alone, so it
may come from any folder, any mirror and any packer, and is never half read.
"""

import gzip
import hashlib
import os
import warnings
import zlib
from typing import NamedTuple, Tuple

import numpy as np

from d2l_vgg.datasets import download

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

    @property
    def archive(self):
        """The name that the file has on the mirrors, packed by gzip."""
        return self.name + '.gz'

    def paths_in(self, folder):
        """Return the paths at which a folder holds it, good or bad."""
        paths = [os.path.join(folder, n) for n in (self.name, self.archive)]
        return [path for path in paths if os.path.isfile(path)]

    def state(self, path):
        """Return 'whole', or the `state` of the `BadFile` at `path`."""
        try:
            read(path, self)
        except BadFile as error:
            return error.state
        return 'whole'


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
                path = os.path.join(folder, file.archive)
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
            path for folder in places(root) for path in file.paths_in(folder)
        ]:
            state = file.state(path)
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
    try:
        failures = download.fetch(files, folder, mirrors, progress, timeout)
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


def _first_whole(file, root):
    """The folder and the array of the first whole file, or None."""
    given = [_absolute(f) for f in _with_subfolders(root)] if root else []
    for folder in places(root):
        bad, array = [], None
        for path in file.paths_in(folder):
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
    names = ', '.join(file.archive for file in FILES)
    return DataNotFound(
        f'Fashion-MNIST is not whole in {folder} and could not be '
        f'downloaded: {"; ".join(reasons)}. Put its files ({names}, from '
        f'{MIRRORS[0]}) there, or take the stand-in that is drawn by code: '
        '`--data stand-in` on the command line, `stand_in.load()` in Python.'
    )
