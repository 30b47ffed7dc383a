"""The initial parameters are those of the book's published runs."""

import subprocess
import sys

import numpy as onp
import pytest

from d2l_vgg.book import draws

# The cells of the book's notebook up to its training, in a fresh process that
# sets no seed; on a GPU, too, parameters are drawn on the CPU
BOOK = """
import d2l_vgg.mxnet  # Makes MXNet work on this Python
import numpy
from d2l import mxnet as d2l
from mxnet import init, np, npx
from mxnet.gluon import nn
npx.set_np()

def vgg_block(num_convs, num_channels):
    blk = nn.Sequential()
    for _ in range(num_convs):
        blk.add(nn.Conv2D(num_channels, kernel_size=3, padding=1,
                          activation='relu'))
    blk.add(nn.MaxPool2D(pool_size=2, strides=2))
    return blk

class VGG(d2l.Classifier):
    def __init__(self, arch, lr=0.1, num_classes=10):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential()
        for pair in arch:
            self.net.add(vgg_block(*pair))
        self.net.add(nn.Dense(4096, activation='relu'), nn.Dropout(0.5),
                     nn.Dense(4096, activation='relu'), nn.Dropout(0.5),
                     nn.Dense(num_classes))
        self.net.initialize(init.Xavier())

VGG(((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))).layer_summary(
    (1, 1, 224, 224))
model = VGG(((1, 16), (1, 32), (2, 64), (2, 128), (2, 128)), lr=0.01)
model(np.zeros((1, 1, 224, 224)))
params = model.net.collect_params().values()
numpy.savez(PATH, *[param.data().asnumpy() for param in params])
"""


def test_the_published_draw_is_that_of_the_books_notebook(tmp_path):
    pytest.importorskip('mxnet')
    from mxnet import np

    from d2l_vgg.mxnet import VGG

    path = str(tmp_path / 'book.npz')
    subprocess.run(
        [sys.executable, '-c', BOOK.replace('PATH', repr(path))],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    model = VGG('vgg_small', lr=0.01)
    np.random.uniform()  # Whatever was drawn before does not matter
    draws.draw_as_published('mxnet', model)
    params = model.net.collect_params().values()
    book = onp.load(path)
    assert len(params) == len(book.files) == 22
    for param, name in zip(params, book.files):
        onp.testing.assert_array_equal(param.data().asnumpy(), book[name])


def test_what_is_not_known_is_refused(monkeypatch):
    monkeypatch.delitem(draws.DRAWS, 'mxnet')
    with pytest.raises(ValueError, match='of MXNet began .* --draw seed'):
        draws.draw_as_published('mxnet', None)
