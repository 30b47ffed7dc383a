"""The study of the spread: its arithmetic, and one real run of it."""

import math
import statistics
import subprocess
import sys

import numpy as onp
import pytest

from d2l_vgg.book import study
from d2l_vgg.cli import main
from d2l_vgg.datasets.stand_in import NOTE


def test_spread_of_equal_shuffles_is_that_of_the_draws():
    mean, between, within = study.spread([[1, 1], [2, 2], [6, 6]])
    assert (mean, within) == (3, 0)
    assert between == pytest.approx(statistics.stdev([1, 2, 6]))


def test_spread_is_found_again_in_simulated_runs():
    """Draws with deviation 3, shuffles with deviation 1."""
    rng = onp.random.RandomState(0)
    effects = 3 * rng.randn(400, 1)
    groups = (effects + rng.randn(400, 5)).tolist()
    mean, between, within = study.spread(groups)
    assert mean == pytest.approx(0, abs=0.5)
    assert between == pytest.approx(3, rel=0.1)
    assert within == pytest.approx(1, rel=0.1)


def test_spread_of_shuffles_alone_is_not_put_on_the_draws():
    rng = onp.random.RandomState(0)
    _, between, within = study.spread(rng.randn(400, 5).tolist())
    assert between < 0.2 and within == pytest.approx(1, rel=0.1)


def test_spread_of_a_single_kind_is_not_known():
    assert math.isnan(study.spread([[1, 2, 3]])[1])
    assert math.isnan(study.spread([[1], [2]])[2])


def test_plateau_ends_where_the_loss_falls():
    assert study.plateau([2.3, 2.2, 1.9, 2.1]) == 20
    assert math.isnan(study.plateau([2.3, 2.3]))


def test_a_foreign_file_is_not_taken_for_a_study(tmp_path):
    path = tmp_path / 'study.csv'
    path.write_text('a,b\n1,2\n')
    with pytest.raises(ValueError, match='not a study'):
        study.read(str(path))


def test_the_command_keeps_its_runs_and_goes_on(
    tmp_path, capsys, monkeypatch
):
    pytest.importorskip('mxnet')
    monkeypatch.setattr(study, 'load', lambda *_: FewImages())
    command = [
        *('study', '--runs', str(tmp_path), '--max-epochs', '1'),
        *('--shuffles', '1', '--biases', 'zero', 'uniform'),
    ]
    assert main([*command, '--draws', '1']) == 0
    out = capsys.readouterr().out
    assert 'biases zero: 1 runs from 1 draws' in out
    assert NOTE in out
    assert 'biases uniform: 1 runs from 1 draws' in out
    (path,) = tmp_path.iterdir()
    assert path.name.endswith('-stand-in.csv')
    first, uniform = study.read(str(path))
    assert first[:3] == ('zero', 0, 0) and 0 <= first.val_acc <= 1
    assert uniform.train_loss != first.train_loss

    assert main([*command, '--draws', '2']) == 0
    out = capsys.readouterr().out
    assert 'holds 2 of them' in out and 'from 2 draws' in out
    again, _, second, _ = study.read(str(path))
    assert repr(again) == repr(first)
    assert second[:3] == ('zero', 1, 0)
    assert second.val_loss != first.val_loss


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
    study.draw_as_published(model)
    params = model.net.collect_params().values()
    book = onp.load(path)
    assert len(params) == len(book.files) == 22
    for param, name in zip(params, book.files):
        onp.testing.assert_array_equal(param.data().asnumpy(), book[name])


class FewImages:
    """Ten minibatches of random images, with the interface of d2l's data."""

    stand_in = True

    def train_dataloader(self):
        from mxnet import np

        rng = onp.random.RandomState(0)
        X = np.array(rng.rand(4, 1, 32, 32), dtype='float32')
        return [(X, np.array([0, 1, 2, 3]))] * 10

    def val_dataloader(self):
        return self.train_dataloader()[:1]
