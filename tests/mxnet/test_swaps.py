"""What a reader overrides is called as under d2l, wherever `fit` runs."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip('mxnet')

import mxnet as mx
from d2l import mxnet as d2l
from mxnet.gluon import nn

from d2l_vgg import machine
from d2l_vgg.mxnet import VGG, Classifier, FashionMNIST, Trainer
from d2l_vgg.networks.architectures import Architecture

TINY = Architecture('tiny', blocks=((1, 4), (1, 8)), hidden=(16,))


@pytest.fixture(scope='module')
def data():
    return FashionMNIST(32, num_train=160, num_val=64)


def train(data, model=None, cls=Trainer, **options):
    model = VGG(TINY, lr=0.05) if model is None else model
    options = {'max_epochs': 2, 'seed': 3, 'display': 'none', **options}
    trainer = cls(**options)
    trainer.fit(model, data)
    return model, trainer


class LeNet(d2l.Classifier):
    """d2l's alone."""

    def __init__(self, lr=0.1):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.HybridSequential()
        self.net.add(nn.Conv2D(4, 5, activation='sigmoid'), nn.Dense(10))
        self.net.initialize()


def plotting(base, *args, **kwargs):
    """Return a model of a class that plots in a way of its own."""

    class Plotting(base):
        def plot(self, key, value, train):
            seen.append((key, train))
            super().plot(key, value, train)
            if key == 'loss':
                super().plot('twice', 2 * value, train)

    seen = []
    return Plotting(*args, **kwargs), seen


def test_a_plot_of_the_readers_own_is_called(data):
    model, seen = plotting(VGG, TINY, 0.05)
    _, trainer = train(data, model)
    _, plain = train(data, VGG(TINY, 0.05))
    # 5 minibatches to train on and 2 to validate with, twice
    assert seen.count(('loss', True)) == 10
    assert seen.count(('loss', False)) == seen.count(('acc', False)) == 4
    points = trainer.history.points
    for series, values in plain.history.points.items():
        assert points[series] == values
    for x, value in zip(points['train_twice'], points['train_loss']):
        assert x == pytest.approx((value[0], 2 * value[1]))


def test_a_plot_that_draws_by_itself_is_called(data):
    class Drawing(VGG):
        def plot(self, key, value, train):
            drawn.append(self.trainer.train_batch_idx)

    drawn = []
    _, trainer = train(data, Drawing(TINY, 0.05))
    assert len(drawn) == 10 + 8
    assert trainer.history.points == {}


def test_a_plot_that_is_set_on_the_model_stays(data):
    model = VGG(TINY, 0.05)
    seen = []
    model.plot = lambda key, value, train: seen.append(key)
    own = model.plot
    train(data, model)
    assert len(seen) == 18
    assert model.plot is own


def test_afterwards_the_model_draws_on_its_board_again(data):
    model, trainer = train(data, LeNet())
    points = dict(trainer.history.points)
    model.board.display = False
    d2l.Trainer(max_epochs=1).fit(model, data)
    assert len(model.board.data['val_acc']) == 1
    assert trainer.history.points == points


class Darker(Trainer):
    """Prepares its minibatches in a way of its own."""

    sizes = ()

    def prepare_batch(self, batch):
        X, y = super().prepare_batch(batch)
        self.sizes += (len(y),)
        return X / 2, y


def test_a_trainers_own_prepare_batch_is_called(data):
    class Watching(VGG):
        def training_step(self, batch):
            largest.append(float(batch[0].max()))
            return super().training_step(batch)

        def validation_step(self, batch):
            largest.append(float(batch[0].max()))
            super().validation_step(batch)

    largest = []
    model, trainer = train(data, Watching(TINY), cls=Darker)
    assert len(largest) == 14 and max(largest) == 0.5
    # As whole minibatches always: once more for the shape of the first
    assert trainer.sizes == (32,) * 15


def test_a_batch_of_another_shape_reaches_the_network_prepared(data):
    """What the network is drawn for is what the reader has made of it."""

    class Padded(Trainer):
        def prepare_batch(self, batch):
            X, y = super().prepare_batch(batch)
            return mx.np.pad(X, ((0, 0), (0, 0), (2, 2), (2, 2))), y

    model, _ = train(data, cls=Padded)
    assert model.net[2].weight.shape == (16, 8 * 8 * 8)


def test_frozen_parameters_are_refused(data):
    model = VGG(TINY)
    model.collect_params().setattr('grad_req', 'null')
    with pytest.raises(ValueError, match='^All parameters of VGG are frozen'):
        train(data, model)


def test_some_frozen_parameters_stay_as_they_are(data):
    model = VGG(TINY)
    model(mx.np.zeros((1, 1, 28, 28)))
    model.net[0].collect_params().setattr('grad_req', 'null')
    before = [
        p.data().asnumpy()
        for p in model._collect_params_with_prefix().values()
    ]
    train(data, model, gradient_clip_val=1)
    after = [
        p.data().asnumpy()
        for p in model._collect_params_with_prefix().values()
    ]
    same = [np.array_equal(*pair) for pair in zip(before, after)]
    assert same == [True, True] + [False] * (len(same) - 2)


def in_thread(function):
    found = []

    def call():
        try:
            found.append(function())
        except BaseException as error:
            found.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    if isinstance(found[0], BaseException):
        raise found[0]
    return found[0]


def in_pool(function):
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(function).result()


@pytest.mark.parametrize('run', [in_thread, in_pool])
def test_all_may_be_in_another_thread(run, tmp_path):
    """Data, model, training, checkpoint and prediction: the same bits."""

    def whole(name):
        data = FashionMNIST(32, num_train=160, num_val=64, flip=True)
        path = str(tmp_path / name)
        model, trainer = train(data, checkpoint=path, momentum=0.9)
        labels, scores = model.predict(data.val_dataloader())
        return trainer.history.points, scores

    points, scores = run(lambda: whole('other'))
    expected, expected_scores = whole('main')
    assert points == expected
    np.testing.assert_array_equal(scores, expected_scores)


def test_a_model_that_is_made_here_is_trained_there(data):
    model = VGG(TINY, lr=0.05)
    in_thread(lambda: train(data, model))
    here, _ = train(data)
    for one, other in zip(
        model._collect_params_with_prefix().values(),
        here._collect_params_with_prefix().values(),
    ):
        np.testing.assert_array_equal(
            one.data().asnumpy(), other.data().asnumpy()
        )


def test_the_network_may_be_one_layer(data):
    class Own(Classifier):
        lr = 0.05

        def __init__(self):
            super().__init__()
            self.net = nn.Dense(10)
            self.net.initialize()

    _, trainer = train(data, Own())
    assert trainer.history.final['val_acc'] > 0.1


# ------------------------------------------------- numbers and paths


def test_numpys_numbers_are_as_good_as_pythons(data, tmp_path):
    numbers = {
        'max_epochs': np.int64(2),
        'seed': np.uint32(3),
        'momentum': np.float32(0.5),
        'num_gpus': np.int8(0),
        'checkpoint_seconds': np.float64(0),
        'checkpoint': tmp_path / 'checkpoint.safetensors',
    }
    arch = ((np.int64(1), np.int32(4)), (np.uint8(1), np.int64(8)))
    arch = Architecture('tiny', blocks=arch, hidden=(np.int16(16),))
    model = VGG(arch, np.float64(0.05), np.int64(10))
    _, trainer = train(data, model, **numbers)
    plain = VGG(TINY, 0.05, 10)
    _, other = train(data, plain, momentum=0.5)
    assert trainer.history.points == other.history.points
    assert numbers['checkpoint'].exists()
    model.save(tmp_path / 'vgg.safetensors')
    plain.load(tmp_path / 'vgg.safetensors')
    resumed = Trainer(**{**numbers, 'display': 'none'})
    again = resumed.fit(VGG(TINY, 0.05), data, resume=True)
    assert again.points == trainer.history.points


@pytest.mark.parametrize(
    'lr, told',
    [
        ('0.1', "lr is '0.1': it must be a number."),
        (True, 'lr is True: it must be a number.'),
        (float('inf'), 'lr is inf: it must be finite.'),
        (0, 'lr is 0: it must be positive.'),
    ],
)
def test_a_learning_rate_that_is_none_is_refused_before_anything(
    data, lr, told
):
    model = VGG(TINY)
    model.lr = lr
    with pytest.raises(ValueError) as error:
        train(data, model)
    assert str(error.value) == told
    assert model.net[-1].weight.shape[1] < 1  # Not drawn


@pytest.mark.parametrize(
    'options, told',
    [
        ({'max_epochs': 2.5}, 'max_epochs is 2.5: it must be a whole'),
        ({'max_epochs': True}, 'max_epochs is True: it must be a whole'),
        ({'max_epochs': 10**7}, 'max_epochs is 10000000: .* 1000000 or less'),
        ({'seed': 2**32}, 'seed is 4294967296: it must be below'),
        ({'seed': 1.0}, 'seed is 1.0: it must be a whole'),
        ({'num_gpus': 1.5}, 'num_gpus is 1.5: it must be a whole'),
        ({'num_gpus': '1'}, "num_gpus is '1': it must be a whole"),
        (
            {'checkpoint_seconds': -1},
            'checkpoint_seconds is -1: .* 0 or',
        ),
        ({'checkpoint_seconds': float('nan')}, 'checkpoint_seconds is nan'),
        ({'checkpoint_seconds': float('inf')}, 'checkpoint_seconds is inf'),
        ({'gradient_clip_val': float('inf')}, 'gradient_clip_val is inf'),
        ({'momentum': '0.9'}, "momentum is '0.9': it must be a number"),
        ({'test_flip': 'no'}, "test_flip is 'no': it must be True or False"),
    ],
)
def test_one_set_of_limits(options, told):
    with pytest.raises(ValueError, match=f'^{told}'):
        Trainer(**{'max_epochs': 1, 'display': 'none', **options})


def test_fit_refuses_what_the_memory_cannot_hold(data, monkeypatch):
    model = VGG(((1, 4), (1, 100000)))
    with pytest.raises(ValueError, match='takes at least .* but there are'):
        train(data, model)
    assert model.net[-1].weight.shape[1] < 1  # Not drawn
    monkeypatch.setattr(machine, 'available_memory', lambda: 2**18)
    with pytest.raises(ValueError, match='but there are 0.2 MiB'):
        train(data)

    class Own(VGG):  # Nobody knows what it needs
        pass

    train(data, Own(TINY), max_epochs=1)
