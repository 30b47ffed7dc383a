"""Four small files that stand for those of Fashion-MNIST.

`load` and `fetch` are those of `fashion_mnist`, for these files.
"""

import gzip
import hashlib
import os

import numpy as np

from d2l_vgg.datasets import fashion_mnist, kaggle
from d2l_vgg.datasets.fashion_mnist import File

# Noise, which gzip cannot shrink: the first archive has 0.3 MB
SHAPES = {
    'train-images-idx3-ubyte': (400, 28, 28),
    'train-labels-idx1-ubyte': (400,),
    't10k-images-idx3-ubyte': (20, 28, 28),
    't10k-labels-idx1-ubyte': (20,),
}


def make_content(name, shape, rng):
    """IDX content, written down a second time after its definition."""
    high = 10 if 'labels' in name else 256
    content = b'\0\0\x08' + len(shape).to_bytes(1, 'big')
    for size in shape:
        content += size.to_bytes(4, 'big')
    return content + bytes(rng.integers(0, high, shape, np.uint8).ravel())


RNG = np.random.default_rng(0)
CONTENT = {n: make_content(n, shape, RNG) for n, shape in SHAPES.items()}
ARCHIVES = {n + '.gz': gzip.compress(c) for n, c in CONTENT.items()}
FILES = tuple(
    File(n, SHAPES[n], hashlib.sha256(c).hexdigest())
    for n, c in CONTENT.items()
)
ARRAYS = [
    np.frombuffer(c, np.uint8, offset=len(f.header)).reshape(f.shape)
    for c, f in zip(CONTENT.values(), FILES)
]
TABLES = tuple(
    kaggle.Table(f'fashion-mnist_{name}.csv', *FILES[i : i + 2], digest)
    for name, i, digest in (
        ('train', 0, kaggle.unordered(*ARRAYS[:2])),
        ('test', 2, kaggle.unordered(*ARRAYS[2:])),
    )
)
IMAGES = FILES[0]
ARCHIVE = ARCHIVES[IMAGES.name + '.gz']
# A place to break off, a multiple of the pieces that downloads are cut into
THIRD = 13 * 8192
PLAIN = CONTENT[IMAGES.name]


def flip(data, index):
    """The same bytes with one bit changed."""
    changed = bytearray(data)
    changed[index] ^= 1
    return bytes(changed)


def put(folder, packed=True):
    """Write the four files to a folder and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in FILES:
        if packed:
            name = file.name + '.gz'
            (folder / name).write_bytes(ARCHIVES[name])
        else:
            (folder / file.name).write_bytes(CONTENT[file.name])
    return folder


def put_tables(folder, order=None, newline='\n'):
    """Write Kaggle's two files to a folder and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for table, i in zip(TABLES, (0, 2)):
        images, labels = ARRAYS[i : i + 2]
        lines = ['label,' + ','.join(f'pixel{n}' for n in range(1, 785))]
        for image, label in zip(images, labels):
            lines.append(','.join(map(str, [label, *image.ravel()])))
        if order is not None:
            lines[1:] = [lines[1 + n] for n in order(len(labels))]
        text = newline.join(lines) + newline
        (folder / table.name).write_bytes(text.encode())
    return folder


def load(root=None, mirrors=(), **kwargs):
    return fashion_mnist.load(
        root,
        progress=False,
        mirrors=mirrors,
        files=FILES,
        tables=TABLES,
        **kwargs,
    )


def fetch(folder, *mirrors, timeout=10, progress=False):
    return fashion_mnist.fetch(
        folder, [m.address for m in mirrors], progress, timeout, FILES
    )


def check(data):
    """The arrays are those of `CONTENT`, byte by byte."""
    for array, file in zip(data[:4], FILES):
        assert array.shape == file.shape
        assert array.dtype == np.uint8
        assert CONTENT[file.name].endswith(array.tobytes())
    assert data.stand_in is False


def check_folder(folder):
    """Exactly the four archives lie in the folder, each of them whole."""
    assert sorted(os.listdir(folder)) == sorted(ARCHIVES)
    rows = fashion_mnist.status(folder, FILES)
    assert [state for _, _, state in rows] == ['whole'] * 4
