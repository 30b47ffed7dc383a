"""What a reader may write himself in MXNet, and what he sees of it."""

import mxnet as mx
from d2l import mxnet as d2l
from mxnet import gluon

from d2l_vgg.mxnet import VGG, Classifier, vgg_block

SPARE_READS = 4  # The parameters are drawn in NumPy, and read at the start


class Adam(VGG):
    def configure_optimizers(self):
        return gluon.Trainer(
            self.collect_params(), 'adam', {'learning_rate': 0.01}
        )


class Scratch(Classifier):
    """As the book writes a model without layers."""

    def __init__(self, lr=0.1):
        super().__init__()
        self.save_hyperparameters()
        self.W = mx.np.zeros((784, 10))
        self.W.attach_grad()

    def forward(self, X):
        return mx.np.dot(X.reshape(len(X), -1), self.W)


class Written(Classifier):
    """A class as a reader writes it: blocks, and layers of Gluon's."""

    def __init__(self, lr=0.02):
        super().__init__()
        self.save_hyperparameters()
        self.net = gluon.nn.HybridSequential()
        for num_channels in 4, 8:
            self.net.add(vgg_block(1, num_channels, batch_norm=True))
        self.net.add(gluon.nn.Dense(32, activation='relu'))
        self.net.add(gluon.nn.Dropout(0.5), gluon.nn.Dense(10))
        self.net.initialize(mx.init.Xavier())


# What the training of such a class cannot be asked for
UNSUPPORTED = {
    d2l.LeNet: (
        'momentum',
        'weight_decay',
        'label_smoothing',
        'test_flip',
        'precision',
    )
}


def loader(images, labels, shuffle, num_workers=0):
    """Return Gluon's own DataLoader."""
    X = mx.np.array(images[:, None].astype('float32') / 255)
    y = mx.np.array(labels, dtype='int32')
    return gluon.data.DataLoader(
        gluon.data.ArrayDataset(X, y),
        32,
        shuffle=shuffle,
        num_workers=num_workers,
    )


def draw():
    mx.np.random.uniform(size=1000)


def count_reads(monkeypatch):
    """Return a list that grows with each array that is read."""
    reads, read = [], mx.np.ndarray.asnumpy

    def counted(self):
        reads.append(self)
        return read(self)

    monkeypatch.setattr(mx.np.ndarray, 'asnumpy', counted)
    monkeypatch.setattr(
        mx.np.ndarray, 'item', lambda self: counted(self).item()
    )
    return reads


def compute_with_other_threads(monkeypatch):
    """Return how many the next training computes with."""
    monkeypatch.setenv('OMP_NUM_THREADS', '77')
    return 77


def pretend_gpus(monkeypatch, found):
    monkeypatch.setattr(d2l, 'num_gpus', lambda: found)
