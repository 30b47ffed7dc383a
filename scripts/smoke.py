"""Train for an instant with this package and with d2l: do both work here?

`.ci/run` calls it on Python 3.12, for which neither MXNet nor d2l was made.
"""

# First, since it makes MXNet and d2l work: see `d2l_vgg/compatibility.py`
from d2l_vgg import mxnet as d2l_vgg  # isort: skip

import contextlib
import io
import math
import platform

import matplotlib
import mxnet
import numpy
from d2l import __version__ as d2l_version
from d2l import mxnet as d2l
from mxnet import autograd, np


class Noise(d2l.DataModule):
    """48 random images of 32 x 32 to train on, 48 more to validate."""

    def __init__(self, batch_size=16):
        super().__init__()
        self.save_hyperparameters()
        self.X = np.random.uniform(size=(96, 1, 32, 32))
        self.y = np.random.randint(0, 10, size=(96,))

    def get_dataloader(self, train):
        half = slice(0, 48) if train else slice(48, None)
        return self.get_tensorloader((self.X, self.y), train, half)


def small_vgg():
    return d2l_vgg.VGG(arch=((1, 8), (1, 16)), lr=0.1)


def one_step(model, data):
    """Return the loss of a minibatch before and after a step on it."""
    X, y = next(iter(data.train_dataloader()))
    before = float(model.loss(model(X), y))
    optimizer = model.configure_optimizers()
    with autograd.record():
        loss = model.loss(model(X), y)
    loss.backward()
    optimizer.step(1)
    return before, float(model.loss(model(X), y))


def fit(trainer, model, data):
    """Return the name and last value of each curve of a short run."""
    # Without a notebook d2l's board prints a line for each of its figures
    with contextlib.redirect_stdout(io.StringIO()):
        history = trainer.fit(model, data)
    if history is not None:
        return history.final
    return {name: points[-1].y for name, points in model.board.data.items()}


def main():
    print(
        f'Python {platform.python_version()}, NumPy {numpy.__version__}, '
        f'MXNet {mxnet.__version__}, d2l {d2l_version}'
    )
    matplotlib.use('Agg')
    mxnet.random.seed(0)
    data = Noise()

    before, after = one_step(small_vgg(), data)
    print(f'one step of our VGG: loss {before:.4f}, then {after:.4f}')
    assert after < before

    for title, trainer, model in (
        ('our VGG, our Trainer', d2l_vgg.Trainer, small_vgg()),
        ('our VGG, d2l.Trainer', d2l.Trainer, small_vgg()),
        ('d2l.LeNet, our Trainer', d2l_vgg.Trainer, d2l.LeNet()),
        ('d2l.LeNet, d2l.Trainer', d2l.Trainer, d2l.LeNet()),
    ):
        final = fit(trainer(max_epochs=1), model, data)
        print(f'{title}:', final)
        assert set(final) == {'train_loss', 'val_loss', 'val_acc'}
        assert all(math.isfinite(value) for value in final.values())
    print('smoke run passed')


if __name__ == '__main__':
    main()
