"""The trainer in MXNet beside d2l's, and with d2l's and Gluon's own classes.

What it shares with the other frameworks' is tested in `tests/trainer`.
"""

import functools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip('mxnet')

import mxnet as mx
import own_mxnet
import trainings
from d2l import mxnet as d2l
from mxnet import autograd, gluon, npx
from mxnet.gluon import nn
from trainings import Images

from d2l_vgg import mxnet as package
from d2l_vgg.mxnet import VGG, Classifier, FashionMNIST, Trainer, patches
from d2l_vgg.networks.architectures import Architecture
from d2l_vgg.training import seeds

TINY = Architecture('tiny', blocks=((1, 4), (1, 8)), hidden=(16,))


def fit(model, data=None, **options):
    return trainings.fit(package, model, data, **options)


def test_our_vgg_trains_under_d2l_and_records_the_same():
    """Equal draws, equal order and no dropout: both trainers must agree."""
    arch = Architecture('tiny', ((1, 4), (1, 8)), hidden=(16,), dropout=0)
    data = Images(own_mxnet.loader)
    first = VGG(arch, lr=0.1)
    trainer = fit(first, data, max_epochs=1)

    second = VGG(arch, lr=0.1)
    np.random.seed([3, 0])  # What our trainer shuffles the first epoch with
    mx.random.seed(3)
    second(mx.np.zeros((1, 1, 28, 28)))
    second.board.display = False
    d2l.Trainer(max_epochs=1).fit(second, data)
    ours, theirs = first.arrays(), second.arrays()
    assert list(ours) == list(theirs)
    for name, array in ours.items():
        np.testing.assert_array_equal(array, theirs[name], name)
    for series, points in second.board.data.items():
        ours = trainer.history.points[series]
        np.testing.assert_allclose(ours, points, rtol=1e-6, err_msg=series)


def test_our_vgg_trains_under_d2l_with_worker_processes():
    """Minibatches in shared memory, which a graph of 1.9.1 cannot read."""
    model = VGG(TINY, lr=0.1)
    model.compile()
    model.board.display = False
    loader = functools.partial(own_mxnet.loader, num_workers=2)
    d2l.Trainer(max_epochs=1).fit(model, Images(loader))
    assert len(model.board.data['val_acc']) == 1


@pytest.mark.skipif(patches.IS_2, reason='MXNet 2 counts no names')
def test_counted_names_of_layers_do_not_matter_for_resume_and_load(tmp_path):
    """Gluon's trainer has its parameters by name: dense10 before dense9."""

    def model_after(num_layers):
        with mx.name.NameManager():  # As in a process that is new
            for _ in range(num_layers):
                gluon.nn.Conv2D(1, 1), gluon.nn.BatchNorm(), gluon.nn.Dense(1)
            return trainings.model_of(package)

    first, second = model_after(9), model_after(0)
    names = list(first.collect_params())
    assert names != sorted(names) and len(set(names)) == 16
    run = {'checkpoint': tmp_path / 'run', **trainings.OPTIONS}
    with pytest.raises(KeyboardInterrupt):
        fit(first, stop_at=5, **run)
    resumed = fit(second, resume=True, **run)
    outcome = trainings.outcome(resumed)
    trainings.assert_same(outcome, trainings.whole(package))
    third = model_after(99)
    second.save(tmp_path / 'parameters.safetensors')
    third.load(tmp_path / 'parameters.safetensors')
    trained = outcome.arrays
    for name, array in third.arrays().items():
        np.testing.assert_array_equal(array, trained[name], name)


def freeze(block):
    for param in block.collect_params().values():
        param.grad_req = 'null'


def test_some_frozen_parameters_stay_as_they_are_and_all_are_refused():
    model = VGG(TINY)
    model(mx.np.zeros((1, 1, 28, 28)))
    freeze(model.net[0])
    before = model.arrays()
    fit(model, gradient_clip_val=1)
    for name, array in model.arrays().items():
        frozen = name.startswith('conv1')
        assert np.array_equal(array, before[name]) == frozen, name
    freeze(model)
    with pytest.raises(ValueError, match='^All parameters of VGG are frozen'):
        fit(model)


def test_all_may_be_in_another_thread(tmp_path):
    """Data, model, training, checkpoint and prediction: the same bits."""

    def whole(name):
        data = FashionMNIST(32, num_train=160, num_val=64, flip=True)
        model = VGG(TINY, lr=0.05)
        fit(model, data, checkpoint=tmp_path / name, momentum=0.9)
        return model.predict(data.val_dataloader())[1]

    with ThreadPoolExecutor(1) as executor:
        scores = executor.submit(whole, 'there').result()
    np.testing.assert_array_equal(scores, whole('here'))


def test_a_trainers_own_prepare_batch_is_called():
    """The network is drawn for what the reader has made of a minibatch."""

    class Padded(Trainer):
        def prepare_batch(self, batch):
            X, y = super().prepare_batch(batch)
            return mx.np.pad(X, ((0, 0), (0, 0), (2, 2), (2, 2))), y

    model = VGG(TINY)
    Padded(1, display='none').fit(model, trainings.data_of(package))
    assert model.net[2].weight.shape == (16, 8 * 8 * 8)


def test_a_schedule_of_the_models_own_stands():
    class Own(VGG):
        def configure_optimizers(self):
            schedule = mx.lr_scheduler.FactorScheduler(1, 0.5, base_lr=0.4)
            return gluon.Trainer(
                self.collect_params(), 'sgd', {'lr_scheduler': schedule}
            )

    assert fit(Own(TINY)).optim.learning_rate < 0.01


def test_no_dropout_mask_comes_twice():
    """Parts of 512 masks, as MXNet draws them, of the first minibatches."""
    X = mx.np.ones((128, 4096))
    seen = set()
    for i in range(4):
        mx.random.seed(seeds.mix(0, i))
        with autograd.record():
            mask = npx.dropout(X, p=0.5).asnumpy() > 0
        seen |= {part.tobytes() for part in mask.reshape(-1, 512)}
    assert len(seen) == 4 * 1024


# What MXNet 2 traces, 1.9.1 computes without a graph
Block = nn.HybridBlock if patches.IS_2 else nn.Block
Sequential = nn.HybridSequential if patches.IS_2 else nn.Sequential


class Parallel(Block):
    """Ways of an image side by side, as in GoogLeNet."""

    def __init__(self, *ways):
        super().__init__()
        self.ways = Sequential()
        self.ways.add(*ways)

    def forward(self, X):
        return mx.np.concatenate([way(X) for way in self.ways], axis=1)


def nin():
    """Convolutions of 1 x 1 and a mean instead of dense layers."""
    for num_channels in 8, 10:
        yield nn.Conv2D(num_channels, 5, padding=2, activation='relu')
        yield nn.Conv2D(num_channels, 1, activation='relu')
        yield nn.MaxPool2D(3, 2)
    yield nn.GlobalAvgPool2D()
    yield nn.Flatten()


def googlenet():
    yield nn.Conv2D(8, 5, strides=2, padding=2, activation='relu')
    yield Parallel(nn.Conv2D(8, 1), nn.Conv2D(8, 3, padding=1))
    yield nn.BatchNorm()
    yield nn.GlobalAvgPool2D()
    yield nn.Dense(10)


@pytest.mark.parametrize('layers', [nin, googlenet])
def test_networks_of_the_next_sections_are_trained_and_resumed(
    layers, tmp_path
):
    class Network(Classifier):
        def __init__(self):
            super().__init__()
            self.lr = 0.1
            self.net = Sequential()
            self.net.add(*layers())
            self.net.initialize()

    whole = fit(Network(), max_epochs=2)
    trainings.assert_learned(whole)
    path = tmp_path / 'run'
    with pytest.raises(KeyboardInterrupt):
        fit(Network(), max_epochs=2, checkpoint=path, stop_at=13)
    resumed = fit(Network(), max_epochs=2, checkpoint=path, resume=True)
    assert whole.history.points == resumed.history.points
