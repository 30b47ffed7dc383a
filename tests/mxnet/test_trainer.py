"""The trainer: d2l's interface, a history, and runs that repeat exactly."""

import math
import os
import random
import re
import signal
import threading

import numpy as np
import pytest

pytest.importorskip('mxnet')

import mxnet as mx
from d2l import mxnet as d2l
from frameworks import needs_bfloat16
from mxnet import autograd, gluon, npx

from d2l_vgg.datasets import stand_in
from d2l_vgg.mxnet import VGG, Classifier, FashionMNIST, Trainer
from d2l_vgg.mxnet.vgg import vgg_block
from d2l_vgg.networks.architectures import Architecture
from d2l_vgg.training import checkpoint, precisions, seeds
from d2l_vgg.training.errors import TrainingDiverged
from d2l_vgg.training.experiments import get_experiment

TINY = Architecture('tiny', blocks=((1, 4), (1, 8)), hidden=(16,))


class Images(d2l.DataModule):
    """A few images of the stand-in, behind Gluon's own DataLoader."""

    def __init__(self, batch_size=32, num_train=320, size=28, workers=0):
        super().__init__(num_workers=workers)
        self.save_hyperparameters()
        data = stand_in.load(num_train=num_train, num_val=96)
        self.train = self.dataset(data.train_images, data.train_labels)
        self.val = self.dataset(data.val_images, data.val_labels)

    def dataset(self, images, labels):
        X = images[:, None].astype('float32') / 255
        X = X.repeat(self.size // 28, 2).repeat(self.size // 28, 3)
        return gluon.data.ArrayDataset(
            mx.np.array(X), mx.np.array(labels, dtype='int32')
        )

    def get_dataloader(self, train):
        return gluon.data.DataLoader(
            self.train if train else self.val,
            self.batch_size,
            shuffle=train,
            num_workers=self.workers,
        )


@pytest.fixture(scope='module')
def data():
    """With all that is drawn by chance, which a run has to repeat."""
    return FashionMNIST(
        32, root='stand-in', num_train=330, num_val=80, flip=True, shift=2
    )


def fit(data, model=None, resume=False, **options):
    """Train a tiny VGG; return the model and its trainer."""
    if model is None:
        model = VGG(TINY, lr=0.05)
        options.setdefault('momentum', 0.9)
    options = {'max_epochs': 2, 'seed': 3, 'display': 'none', **options}
    trainer = Trainer(**options)
    trainer.fit(model, data, resume=resume)
    return model, trainer


def arrays(model):
    return {
        name: p.data().asnumpy()
        for name, p in model._collect_params_with_prefix().items()
    }


def assert_same(model, other):
    ours, theirs = arrays(model), arrays(other)
    assert list(ours) == list(theirs)
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], name)


# ------------------------------------------------- d2l's interface


def test_fit_returns_the_history(data):
    _, trainer = fit(data)
    points = trainer.history.points
    assert [len(points[s]) for s in ('val_loss', 'val_acc')] == [2, 2]
    # 11 minibatches an epoch: a point after each 5, across the epochs
    assert [x for x, _ in points['train_loss']] == pytest.approx(
        [2 / 11, 7 / 11, 12 / 11, 17 / 11]
    )
    assert [x for x, _ in points['val_acc']] == [1, 2]


def test_our_vgg_trains_under_d2l_and_records_the_same():
    """Equal draws, equal order and no dropout: both trainers must agree."""
    arch = Architecture('tiny', ((1, 4), (1, 8)), hidden=(16,), dropout=0)
    data = Images()
    first = VGG(arch, lr=0.1)
    _, trainer = fit(data, first, max_epochs=1)

    second = VGG(arch, lr=0.1)
    np.random.seed([3, 0])  # What our trainer shuffles the first epoch with
    mx.random.seed(3)
    second(mx.np.zeros((1, 1, 28, 28)))
    second.board.display = False
    d2l.Trainer(max_epochs=1).fit(second, data)
    assert_same(first, second)
    for series, points in second.board.data.items():
        ours = trainer.history.points[series]
        np.testing.assert_allclose(ours, points, rtol=1e-6, err_msg=series)


def test_our_vgg_trains_under_d2l_with_worker_processes():
    """Minibatches in shared memory and a hybridized network (FACTS)."""
    model = VGG(TINY, lr=0.1)
    model.compile()
    model.board.display = False
    d2l.Trainer(max_epochs=1).fit(model, Images(workers=2))
    assert len(model.board.data['val_acc']) == 1


class ResNet18(d2l.Classifier):
    def __init__(self, lr=0.002):
        super().__init__()
        self.save_hyperparameters()
        self.net = d2l.resnet18(10)
        self.net.initialize()


@pytest.mark.parametrize(
    'make, epochs',
    [
        (lambda: d2l.LeNet(lr=0.1), 3),
        (lambda: d2l.SoftmaxRegression(10, lr=0.1), 3),
        (ResNet18, 3),
    ],
    ids=['LeNet', 'SoftmaxRegression', 'ResNet18'],
)
def test_models_of_d2l_train_under_our_trainer(make, epochs):
    data = Images(num_train=160)
    model, trainer = fit(data, make(), max_epochs=epochs)
    losses = trainer.history.points['train_loss']
    assert losses[-1][1] < losses[0][1]
    # Afterwards it trains under d2l again, which draws on its own board
    model.board.display = False
    d2l.Trainer(max_epochs=1).fit(model, data)
    assert model.board.data['val_acc']


class FromScratch:
    def __init__(self):
        super().__init__()
        self.lr = 0.1
        self.W = mx.np.random.normal(0, 0.01, (784, 10))
        self.W.attach_grad()

    def forward(self, X):
        return mx.np.dot(X.reshape(len(X), -1), self.W)


class Scratch(FromScratch, d2l.Classifier):
    pass


class OwnScratch(FromScratch, Classifier):
    pass


@pytest.mark.parametrize('make', [Scratch, OwnScratch])
def test_a_model_from_scratch_trains(make):
    _, trainer = fit(Images(), make())
    losses = trainer.history.points['train_loss']
    assert losses[-1][1] < losses[0][1]


def test_a_subclass_without_an_architecture_has_a_summary(capsys):
    class Own(Classifier):
        def __init__(self):
            super().__init__()
            self.net = gluon.nn.HybridSequential()
            self.net.add(gluon.nn.Dense(10))
            self.net.initialize()

    Own().layer_summary((2, 1, 28, 28))
    assert '(2, 10)' in capsys.readouterr().out


def test_it_learns_fashion_mnist(real_root):
    """A sixth of the real images, twice: about 0.86, more than lines reach.

    Softmax regression is at 0.84 on all of them.
    """
    data = FashionMNIST(128, root=real_root, num_train=10000, num_val=2000)
    quick = get_experiment('quick')
    model = VGG(quick.arch, quick.lr)
    options = {
        'lr_schedule': quick.lr_schedule,
        'momentum': quick.momentum,
        'weight_decay': quick.weight_decay,
        'seed': 0,
    }
    _, trainer = fit(data, model, max_epochs=2, **options)
    assert trainer.history.final['val_acc'] > 0.84


def test_it_learns_the_stand_in():
    data = FashionMNIST(32, root='stand-in', num_train=3200, num_val=500)
    arch = Architecture(
        'tiny', ((1, 8), (1, 16)), batch_norm=True, hidden=(32,), dropout=0
    )
    options = {'lr_schedule': 'one_cycle', 'momentum': 0.9}
    _, trainer = fit(data, VGG(arch, lr=0.05), max_epochs=3, **options)
    assert trainer.history.final['val_acc'] > 0.75


# ------------------------------------------------- repeating, resuming


def test_a_seed_repeats_a_run_bit_for_bit(data):
    first, trainer = fit(data)
    mx.np.random.uniform(size=1000)  # Whatever was drawn in between
    np.random.rand(10)
    second, again = fit(data)
    assert_same(first, second)
    assert trainer.history.points == again.history.points


def test_another_seed_gives_another_run(data):
    _, trainer = fit(data)
    _, other = fit(data, seed=4)
    assert trainer.history.points != other.history.points


def test_without_a_seed_one_is_drawn_and_told(data):
    first, trainer = fit(data, seed=None)
    second, _ = fit(data, seed=trainer.seed)
    assert_same(first, second)
    _, other = fit(data, seed=None, max_epochs=1)
    assert other.seed != trainer.seed


class Interrupted(VGG):
    """Sends Ctrl-C to its own process in the middle of a step."""

    def training_step(self, batch):
        if self.trainer.train_batch_idx == self.stop_at:
            os.kill(os.getpid(), self.signum)
        return super().training_step(batch)


@pytest.mark.parametrize('stop_at', [0, 4, 10, 11, 15, 21])
@pytest.mark.parametrize('signum', [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_goes_on_as_if_it_had_not_been(
    data, tmp_path, stop_at, signum
):
    path = str(tmp_path / 'checkpoint.npz')
    options = {
        'lr_schedule': 'one_cycle',
        'gradient_clip_val': 1,
        'momentum': 0.9,
    }
    whole, trainer = fit(data, **options)
    stopped = Interrupted(TINY, lr=0.05)
    stopped.stop_at, stopped.signum = stop_at, signum
    before = signal.getsignal(signum)
    with pytest.raises(KeyboardInterrupt):
        fit(data, stopped, checkpoint=path, **options)
    assert signal.getsignal(signum) is before
    resumed, again = fit(data, resume=True, checkpoint=path, **options)
    assert_same(whole, resumed)
    assert trainer.history.points == again.history.points


@pytest.mark.parametrize('signum', [signal.SIGINT, signal.SIGTERM])
def test_a_run_stopped_while_it_validates_validates_again(
    data, tmp_path, signum
):
    class Stopped(VGG):
        def validation_step(self, batch):
            super().validation_step(batch)
            seen.append(self.trainer.val_batch_idx)
            if len(seen) == stop_at:
                os.kill(os.getpid(), signum)

    path = str(tmp_path / 'checkpoint.npz')
    whole, trainer = fit(data)
    num_val = trainer.num_val_batches
    # In the midst of the first and of the last validation
    for stop_at in (1, 2 * num_val):
        seen = []
        with pytest.raises(KeyboardInterrupt):
            stopped = Stopped(TINY, lr=0.05)
            fit(data, stopped, momentum=0.9, checkpoint=path)
        assert len(seen) == stop_at
        resumed, again = fit(data, resume=True, checkpoint=path)
        assert_same(whole, resumed)
        assert trainer.history.points == again.history.points


@needs_bfloat16
def test_a_run_in_bfloat16_goes_on_bit_for_bit(data, tmp_path):
    path = str(tmp_path / 'checkpoint.npz')
    options = {'precision': 'bfloat16', 'momentum': 0.9}
    whole, trainer = fit(data, **options)
    again, _ = fit(data, **options)
    assert_same(whole, again)
    stopped = Interrupted(TINY, lr=0.05)
    stopped.stop_at, stopped.signum = 13, signal.SIGINT
    with pytest.raises(KeyboardInterrupt):
        fit(data, stopped, checkpoint=path, **options)
    resumed, again = fit(data, resume=True, checkpoint=path, **options)
    assert_same(whole, resumed)
    assert trainer.history.points == again.history.points
    in_float32, _ = fit(data)
    for name in arrays(whole):
        if name.endswith('weight'):
            assert not np.array_equal(
                arrays(whole)[name], arrays(in_float32)[name]
            )


def test_resuming_with_the_stock_loader(tmp_path):
    path = str(tmp_path / 'checkpoint.npz')
    data = Images()
    whole, _ = fit(data)
    stopped = Interrupted(TINY, lr=0.05)
    stopped.stop_at, stopped.signum = 13, signal.SIGINT
    with pytest.raises(KeyboardInterrupt):
        fit(data, stopped, momentum=0.9, checkpoint=path)
    resumed, _ = fit(data, resume=True, checkpoint=path)
    assert_same(whole, resumed)


class ShuffledByPython(Images):
    """With a loader of the reader's own, which knows Python's chance only."""

    def get_dataloader(self, train):
        batches = list(super().get_dataloader(False))
        return Shuffled(batches * 4) if train else batches


class Shuffled(list):
    def __iter__(self):
        return iter(random.sample(self[:], len(self)))


def test_a_loader_that_draws_with_pythons_random_repeats(tmp_path):
    path = str(tmp_path / 'checkpoint.npz')
    data = ShuffledByPython()
    whole, _ = fit(data)
    assert_same(whole, fit(data)[0])
    stopped = Interrupted(TINY, lr=0.05)
    stopped.stop_at, stopped.signum = 17, signal.SIGINT
    with pytest.raises(KeyboardInterrupt):
        fit(data, stopped, momentum=0.9, checkpoint=path)
    resumed, again = fit(data, resume=True, checkpoint=path)
    assert_same(whole, resumed)
    assert again.train_batch_idx == 24


def test_training_outside_the_main_thread(data):
    found = []

    def train():
        mx.npx.set_np()  # MXNet keeps this switch for each thread
        found.append(fit(data))

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert found[0][1].history.final['val_acc'] > 0


@pytest.mark.parametrize(
    'seconds, expected',
    [
        (0, [None, *range(1, 22)]),  # Each one, before the next begins
        (3600, [None] * 11 + [11] * 11),  # At the end of an epoch
    ],
)
def test_checkpoints_are_written_as_often_as_asked(
    data, tmp_path, seconds, expected
):
    """From which minibatch a run goes on that is killed in any of them."""
    path = tmp_path / 'checkpoint.npz'
    found = []

    class Looking(VGG):
        def training_step(self, batch):
            _, meta = checkpoint.load(path) if path.exists() else (None, {})
            found.append(meta.get('train_batch_idx'))
            return super().training_step(batch)

    options = {'checkpoint': str(path), 'checkpoint_seconds': seconds}
    fit(data, Looking(TINY), **options)
    assert found == expected
    assert os.listdir(tmp_path) == ['checkpoint.npz']


def test_one_gpu_means_the_cpu_where_there_is_none():
    if d2l.num_gpus():
        pytest.skip('this machine has a GPU')
    assert Trainer(1, num_gpus=1).device == mx.cpu()


# ------------------------------------------------- mathematics


@pytest.mark.parametrize('largest', [0.05, 1e6])
def test_gradients_are_clipped_to_the_norm(largest):
    data = Images()
    model = VGG(TINY, lr=1.0)
    trainer = Trainer(1, seed=0, display='none', gradient_clip_val=largest)
    seen = []

    class Watched(VGG):
        def configure_optimizers(self):
            optim = super().configure_optimizers()
            update = optim.update

            def watched(batch_size):
                grads = [p.grad() for p in self.collect_params().values()]
                square = sum(float((g**2).sum()) for g in grads)
                seen.append(math.sqrt(square))
                update(batch_size)

            optim.update = watched
            return optim

    model = Watched(TINY, lr=0.01)
    trainer.fit(model, data)
    assert len(seen) == 10
    if largest < 1:
        assert seen == pytest.approx([largest] * 10, rel=1e-4)
    else:
        assert 0.05 < min(seen)


def test_a_schedule_of_the_models_own_stands(data):
    class Own(VGG):
        def configure_optimizers(self):
            schedule = mx.lr_scheduler.FactorScheduler(1, 0.5, base_lr=0.4)
            return gluon.Trainer(
                self.collect_params(), 'sgd', {'lr_scheduler': schedule}
            )

    _, trainer = fit(data, Own(TINY))
    assert trainer.optim.learning_rate < 0.01


def test_the_schedule_sets_the_learning_rate(data):
    rates = []

    class Watched(VGG):
        def training_step(self, batch):
            rates.append(self.trainer.optim.learning_rate)
            return super().training_step(batch)

    fit(data, Watched(TINY, lr=0.4), lr_schedule='cosine')
    # Each step sees the rate of the step before
    expected = [0.4 * (1 + math.cos(math.pi * i / 22)) / 2 for i in range(21)]
    assert rates[1:] == pytest.approx(expected)


def test_nothing_waits_for_the_device_but_a_point(data, monkeypatch):
    """Reading a value waits; d2l reads one at every minibatch."""
    reads = []
    read = mx.np.ndarray.asnumpy

    def counted(self):
        reads.append(self)
        return read(self)

    monkeypatch.setattr(mx.np.ndarray, 'asnumpy', counted)
    monkeypatch.setattr(
        mx.np.ndarray, 'item', lambda self: counted(self).item()
    )
    _, trainer = fit(data)
    num_points = sum(map(len, trainer.history.points.values()))
    # The parameters are drawn in NumPy, and so are read before the start
    assert num_points <= len(reads) <= num_points + 4


# ------------------------------------------------- what goes wrong


def test_a_loss_that_is_not_finite_stops_the_run(data):
    class Astray(VGG):
        def loss(self, Y_hat, y, averaged=True):
            return super().loss(Y_hat, y, averaged) * float('inf')

    model = Astray(TINY, lr=0.1)
    trainer = Trainer(5, seed=0, display='none')
    with pytest.raises(TrainingDiverged, match=r'lower the learning rate'):
        trainer.fit(model, data)
    assert trainer.history.points['train_loss']
    assert not math.isfinite(trainer.history.points['train_loss'][-1][1])


@pytest.mark.parametrize(
    'options, message',
    [
        ({'max_epochs': 0}, 'max_epochs is 0'),
        ({'max_epochs': -3}, 'max_epochs is -3'),
        ({'num_gpus': -1}, 'num_gpus is -1'),
        ({'gradient_clip_val': -1}, 'gradient_clip_val is -1'),
        ({'momentum': 1}, 'momentum is 1'),
        ({'label_smoothing': -0.1}, 'label_smoothing is -0.1'),
        ({'weight_decay': float('nan')}, 'weight_decay is nan'),
        ({'precision': 'float16'}, "precision is 'float16'"),
        ({'seed': -1}, 'seed is -1'),
        ({'lr_schedule': 'steep'}, "'steep'"),
        ({'display': 'cinema'}, "'cinema'"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Trainer(**{'max_epochs': 1, **options})


def test_no_bfloat16_on_a_gpu(monkeypatch):
    monkeypatch.setattr(d2l, 'num_gpus', lambda: 1)
    with pytest.raises(ValueError, match='not on a GPU'):
        Trainer(1, num_gpus=1, precision='bfloat16')


@pytest.mark.parametrize('found', [0, 1, 8])
def test_one_run_uses_one_device(monkeypatch, found):
    monkeypatch.setattr(d2l, 'num_gpus', lambda: found)
    with pytest.raises(ValueError, match=f'num_gpus is 2, .* has {found}'):
        Trainer(1, num_gpus=2)


# ------------------------------------------------- hyperparameters


class Written(Classifier):
    """A class as a reader writes it: blocks, and nothing of our own."""

    def __init__(self, lr=0.05):
        super().__init__()
        self.save_hyperparameters()
        self.net = gluon.nn.HybridSequential()
        for num_channels in 4, 8:
            self.net.add(vgg_block(1, num_channels))
        self.net.add(gluon.nn.Dense(16, activation='relu'))
        self.net.add(gluon.nn.Dropout(0.5), gluon.nn.Dense(10))
        self.net.initialize(mx.init.Xavier())


@needs_bfloat16
def test_a_class_of_the_readers_own_is_trained_in_every_way(data):
    options = {
        'momentum': 0.9,
        'weight_decay': 1e-3,
        'label_smoothing': 0.1,
        'test_flip': True,
        'precision': 'bfloat16',
    }
    ours, trainer = fit(data, VGG(TINY, lr=0.05), **options)
    own, again = fit(data, Written(), **options)
    assert_same(ours, own)
    assert trainer.history.points == again.history.points
    # Each of them counts
    for name in options:
        others = {k: v for k, v in options.items() if k != name}
        _, other = fit(data, Written(), max_epochs=1, **others)
        assert (
            other.history.points['val_loss']
            != (trainer.history.points['val_loss'][:1])
        ), name


@pytest.mark.parametrize(
    'options',
    [
        {'momentum': 0.9},
        {'weight_decay': 0.1},
        {'label_smoothing': 0.1},
        {'test_flip': True},
        pytest.param({'precision': 'bfloat16'}, marks=needs_bfloat16),
    ],
)
def test_what_a_model_cannot_heed_is_refused(options):
    with pytest.raises(ValueError, match=f'{list(options)[0]}.* leave'):
        fit(Images(), d2l.LeNet(lr=0.1), **options)


def test_a_model_that_trains_in_float32_again_is_as_it_was(data):
    model = VGG(TINY, lr=0.05)
    fit(data, model, max_epochs=1)
    X = mx.np.array(data.val[0][:4, None] / 255, dtype='float32')
    plain = model(X).asnumpy()
    if not precisions.has_bfloat16():
        pytest.skip('this processor has no bfloat16')
    model.set_precision('bfloat16')
    model.compile()
    assert not np.array_equal(model(X).asnumpy(), plain)
    model.set_precision('float32')
    model.compile()
    np.testing.assert_array_equal(model(X).asnumpy(), plain)


def test_the_trainer_compiles_the_network(data):
    model, _ = fit(data, max_epochs=1)
    assert model.net._active and model.net._cached_op is not None
    assert dict(model.net._flags)['static_alloc']


@pytest.fixture
def saved(data, tmp_path):
    path = tmp_path / 'checkpoint.npz'
    fit(data, checkpoint=str(path), max_epochs=2)
    return path


def test_a_checkpoint_of_another_architecture(data, saved):
    arch = Architecture('other', ((1, 4), (1, 9)), hidden=(16,))
    other = VGG(arch, lr=0.05)
    with pytest.raises(checkpoint.BadCheckpoint, match='architecture'):
        fit(data, other, resume=True, checkpoint=str(saved), momentum=0.9)


def test_a_checkpoint_of_other_data(data, saved):
    def other(**options):
        return FashionMNIST(
            **{
                'batch_size': 32,
                'root': 'stand-in',
                'num_train': 330,
                'num_val': 80,
                'flip': True,
                'shift': 2,
                **options,
            }
        )

    fit(other(), resume=True, checkpoint=str(saved))
    for change, name in (
        ({'flip': False}, 'flip=True'),
        ({'shift': 1}, 'shift=2'),
        ({'batch_size': 31}, 'batch_size=32'),
        ({'num_val': 90}, 'other images'),
        ({'division': 1}, 'other images'),
    ):
        with pytest.raises(checkpoint.BadCheckpoint, match=name):
            fit(other(**change), resume=True, checkpoint=str(saved))


def test_a_checkpoint_brings_its_seed(data, saved, tmp_path):
    first, _ = fit(data)
    again, trainer = fit(data, resume=True, checkpoint=saved, seed=None)
    assert trainer.seed == 3
    assert_same(again, first)


def test_another_number_of_threads_is_told(data, saved, monkeypatch):
    monkeypatch.setenv('OMP_NUM_THREADS', '7')
    with pytest.warns(UserWarning, match='begun with .* goes on with 7'):
        fit(data, resume=True, checkpoint=str(saved))


class Adam(VGG):
    def configure_optimizers(self):
        return gluon.Trainer(
            self.collect_params(), 'adam', {'learning_rate': 0.01}
        )


@pytest.mark.parametrize(
    'make', [lambda: Adam(TINY), Scratch], ids=['adam', 'scratch']
)
def test_any_optimizer_goes_on_bit_for_bit(data, tmp_path, make):
    path = tmp_path / 'checkpoint.npz'
    mx.random.seed(1)
    whole, _ = fit(data, make())

    class Stops(type(make())):
        def training_step(self, batch):
            if self.trainer.train_batch_idx == 14:
                signal.raise_signal(signal.SIGINT)
            return super().training_step(batch)

    mx.random.seed(1)
    stopped = make()
    stopped.__class__ = Stops
    with pytest.raises(KeyboardInterrupt):
        fit(data, stopped, checkpoint=path)
    mx.random.seed(99)
    model, _ = fit(data, make(), resume=True, checkpoint=path)
    assert_same(model, whole)
    if isinstance(model, Scratch):
        np.testing.assert_array_equal(model.W.asnumpy(), whole.W.asnumpy())


def test_a_checkpoint_holds_plain_arrays_by_name(data, saved):
    with np.load(saved, allow_pickle=False) as file:
        names = set(file.files) - {'meta.json', 'sha256'}
        momentum = file['optimizer/conv2_1.weight.momentum']
        assert momentum.shape == file['conv2_1.weight'].shape
    own = {
        f'{layer}.{part}'
        for layer in ('conv1_1', 'conv2_1', 'dense1', 'dense2')
        for part in ('weight', 'bias')
    }
    assert names == own | {f'optimizer/{name}.momentum' for name in own}
    # One step of gradient descent adds the velocity to the parameter
    assert np.abs(momentum).max() > 0


@pytest.mark.parametrize(
    'change',
    [
        {'seed': 4},
        {'max_epochs': 3},
        {'lr_schedule': 'cosine'},
        {'momentum': 0.8},
        {'weight_decay': 1e-4},
        {'label_smoothing': 0.1},
        {'test_flip': True},
        {'gradient_clip_val': 1},
    ],
)
def test_a_checkpoint_of_a_run_with_other_hyperparameters(
    data, saved, change
):
    with pytest.raises(checkpoint.BadCheckpoint, match=list(change)[0]):
        fit(data, resume=True, checkpoint=str(saved), **change)


@pytest.mark.parametrize('damage', ['cut', 'flip', 'empty', 'text'])
def test_a_damaged_checkpoint_is_refused(data, saved, damage):
    content = bytearray(saved.read_bytes())
    if damage == 'cut':
        content = content[: len(content) // 2]
    elif damage == 'flip':
        content[len(content) // 2] ^= 1
    else:
        content = b'' if damage == 'empty' else b'once upon a time'
    saved.write_bytes(content)
    with pytest.raises(checkpoint.BadCheckpoint, match='damaged'):
        fit(data, resume=True, checkpoint=str(saved))


def test_resuming_needs_a_checkpoint(data):
    with pytest.raises(ValueError, match='checkpoint=path'):
        fit(data, resume=True)


def test_no_checkpoint_to_resume(data, tmp_path):
    with pytest.raises(FileNotFoundError, match='nothing to resume'):
        fit(data, resume=True, checkpoint=str(tmp_path / 'none.npz'))


def test_classifier_is_d2ls():
    assert issubclass(Classifier, d2l.Classifier)
    assert issubclass(Trainer, d2l.Trainer)
    assert issubclass(FashionMNIST, d2l.DataModule)


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


def test_a_trial_takes_only_so_many_minibatches(monkeypatch):
    monkeypatch.setenv('D2L_VGG_TRIAL', '2')
    trainer = Trainer(max_epochs=5, display='none')
    trainer.fit(VGG(TINY), Images())
    assert trainer.train_batch_idx == 2
    assert trainer.val_batch_idx == 2
    assert trainer.epoch == 1


def test_a_trial_begins_as_the_whole_training(monkeypatch):
    """With the same minibatches in the same order, and so it repeats."""
    seen = []

    def keep(self, batch, lr=None):
        seen.append(batch[1].asnumpy().tolist())

    monkeypatch.setattr(Trainer, 'train_step', keep)
    monkeypatch.setattr(Trainer, 'record_values', lambda *a, **k: None)
    data = FashionMNIST(8, root='stand-in', num_train=80, num_val=8)
    for size in '0', '2', '2':
        monkeypatch.setenv('D2L_VGG_TRIAL', size)
        Trainer(max_epochs=1, seed=3, display='none').fit(VGG(TINY), data)
    trials = seen[-2:], seen[-4:-2]
    assert trials[0] == trials[1] == seen[:2] and len(seen) > 6


def test_a_trial_says_so_where_it_is_shown(monkeypatch, capsys):
    monkeypatch.setenv('D2L_VGG_TRIAL', '2')
    for display in 'board', 'lines':
        trainer = Trainer(max_epochs=1, seed=0, display=display)
        trainer.fit(VGG(TINY), Images())
        assert 'TRIAL: cut short to 2' in capsys.readouterr().out
        assert 'TRIAL: cut short to 2' in trainer.board.note
    monkeypatch.setenv('D2L_VGG_TRIAL', 'two')
    with pytest.raises(ValueError, match="D2L_VGG_TRIAL is 'two'"):
        Trainer(max_epochs=1)


def test_a_model_that_is_frozen_whole_is_refused():
    model = VGG(TINY)
    model.collect_params().setattr('grad_req', 'null')
    with pytest.raises(ValueError, match='All parameters of VGG are frozen'):
        Trainer(max_epochs=1, display='none').fit(model, Images())


def test_the_board_tells_how_long_it_will_take(monkeypatch, capsys):
    trainer = Trainer(max_epochs=10**6, seed=0, display='board')
    monkeypatch.setattr(trainer, 'fit_epoch', stop)
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(VGG(TINY), Images())
    told = re.search(
        r'This takes about (.+) on this CPU', capsys.readouterr().out
    )
    # A million epochs of 13 minibatches
    assert re.match(r'\d\d+ minutes|an hour|\d+(\.5)? hours', told.group(1))


def stop():
    raise KeyboardInterrupt


def test_telling_the_time_leaves_the_run_as_it_is():
    histories = [
        Trainer(max_epochs=1, seed=0, display=display).fit(
            VGG(TINY), Images()
        )
        for display in ('none', 'board')
    ]
    assert histories[0].points == histories[1].points


class Few(Images):
    """With one label that is wrong, behind Gluon's own DataLoader."""

    def __init__(self, label):
        self.label = label
        super().__init__(num_train=64)

    def dataset(self, images, labels):
        labels = labels.astype('float32')
        labels[0] = self.label
        return super().dataset(images, labels)


@pytest.mark.parametrize('label', [10, -1])
def test_a_label_without_a_class_is_refused(label):
    """The loss of MXNet would take the nearest class."""
    with pytest.raises(ValueError, match=f'A label is {label}'):
        fit(Few(label))
    data = FashionMNIST(32, root='stand-in', num_train=64, num_val=32)
    data.train = data.train[0], data.train[1].astype(int)
    data.train[1][-1] = label
    with pytest.raises(ValueError, match=f'A label is {label}, .* 10 class'):
        fit(data)


def test_a_network_with_too_few_outputs_is_refused(data):
    with pytest.raises(ValueError, match='the network has 3 classes'):
        fit(data, VGG(TINY, lr=0.05, num_classes=3))
