"""The trainer in PyTorch: runs that repeat exactly, whatever is random."""

import math
import os
import random
import signal

import numpy as np
import pytest

pytest.importorskip('torch')

import torch
from frameworks import needs_bfloat16
from torch import nn

from d2l_vgg.datasets import stand_in
from d2l_vgg.networks.architectures import Architecture
from d2l_vgg.torch import VGG, Classifier, FashionMNIST, Trainer, vgg_block
from d2l_vgg.torch.layers import LazyLinear
from d2l_vgg.training import checkpoint
from d2l_vgg.training.errors import TrainingDiverged
from d2l_vgg.training.experiments import get_experiment

TINY = Architecture(
    'tiny', blocks=((1, 4), (1, 8)), batch_norm=True, hidden=(16,)
)


class Noise(torch.utils.data.Dataset):
    """Images that PyTorch's generator makes brighter as they are read."""

    def __init__(self, images, labels, noise):
        self.images, self.labels, self.noise = images, labels, noise

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        X = torch.tensor(self.images[i][None] / 255, dtype=torch.float32)
        X += self.noise * torch.rand(1) + self.noise * random.random()
        return X, int(self.labels[i])


class Images:
    """A few images of the stand-in, behind PyTorch's own DataLoader."""

    def __init__(self, num_train=320, noise=0, workers=0):
        self.noise, self.workers = noise, workers
        data = stand_in.load(num_train=num_train, num_val=96)
        self.train = data.train_images, data.train_labels
        self.val = data.val_images, data.val_labels

    def get_dataloader(self, train):
        return torch.utils.data.DataLoader(
            Noise(*(self.train if train else self.val), self.noise),
            batch_size=32,
            shuffle=train,
            num_workers=self.workers,
        )

    def train_dataloader(self):
        return self.get_dataloader(True)

    def val_dataloader(self):
        return self.get_dataloader(False)


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


def assert_same(model, other):
    ours, theirs = model.state_dict(), other.state_dict()
    assert list(ours) == list(theirs)
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], name)


# ------------------------------------------------- the book's interface


def test_fit_returns_the_history(data):
    _, trainer = fit(data)
    points = trainer.history.points
    assert [len(points[s]) for s in ('val_loss', 'val_acc')] == [2, 2]
    # 11 minibatches an epoch: a point after each 5, across the epochs
    assert [x for x, _ in points['train_loss']] == pytest.approx(
        [2 / 11, 7 / 11, 12 / 11, 17 / 11]
    )


@pytest.mark.parametrize('workers', [0, 2])
def test_it_trains_on_a_loader_of_pytorchs(workers):
    _, trainer = fit(Images(workers=workers), max_epochs=1)
    losses = trainer.history.points['train_loss']
    assert losses[-1][1] < losses[0][1]


def test_the_readers_generator_is_left_as_it_was(data):
    torch.manual_seed(5)
    fit(data, max_epochs=1)
    drawn = torch.rand(3)
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.rand(3))


def test_it_learns_the_stand_in():
    data = FashionMNIST(32, root='stand-in', num_train=3200, num_val=500)
    arch = Architecture(
        'tiny', ((1, 8), (1, 16)), batch_norm=True, hidden=(32,), dropout=0
    )
    options = {'lr_schedule': 'one_cycle', 'momentum': 0.9}
    _, trainer = fit(data, VGG(arch, lr=0.05), max_epochs=3, **options)
    assert trainer.history.final['val_acc'] > 0.75


def test_it_learns_fashion_mnist(real_root):
    """A sixth of the real images, twice: more than lines reach on all."""
    data = FashionMNIST(128, root=real_root, num_train=10000, num_val=2000)
    quick = get_experiment('quick')
    options = {
        'lr_schedule': quick.lr_schedule,
        'momentum': quick.momentum,
        'weight_decay': quick.weight_decay,
        'seed': 0,
    }
    model = VGG(quick.arch, quick.lr)
    _, trainer = fit(data, model, max_epochs=2, **options)
    assert trainer.history.final['val_acc'] > 0.84


# ------------------------------------------------- repeating, resuming


def test_a_seed_repeats_a_run_bit_for_bit(data):
    first, trainer = fit(data)
    torch.rand(1000)  # Whatever was drawn in between
    second, again = fit(data)
    assert_same(first, second)
    assert trainer.history.points == again.history.points
    _, other = fit(data, seed=4)
    assert trainer.history.points != other.history.points


class Interrupted:
    """Sends Ctrl-C to its own process in the middle of a step."""

    stop_at = 14

    def training_step(self, batch):
        if self.trainer.train_batch_idx == self.stop_at:
            signal.raise_signal(signal.SIGINT)
        return super().training_step(batch)


def stopped_and_resumed(data, path, stop_at, **options):
    """Return model and trainer of a run that was stopped in a step."""

    class Stops(Interrupted, VGG):
        pass

    model = Stops(TINY, lr=0.05)
    model.stop_at = stop_at
    with pytest.raises(KeyboardInterrupt):
        fit(data, model, checkpoint=path, **options)
    return fit(data, resume=True, checkpoint=path, **options)


@pytest.mark.parametrize('stop_at', [0, 4, 10, 11, 15, 21])
def test_a_stopped_run_goes_on_as_if_it_had_not_been(data, tmp_path, stop_at):
    path = str(tmp_path / 'checkpoint.npz')
    options = {
        'lr_schedule': 'one_cycle',
        'gradient_clip_val': 1,
        'momentum': 0.9,
        'weight_decay': 1e-3,
        'label_smoothing': 0.1,
    }
    whole, trainer = fit(data, **options)
    resumed, again = stopped_and_resumed(data, path, stop_at, **options)
    assert_same(whole, resumed)
    assert trainer.history.points == again.history.points


@needs_bfloat16
def test_a_run_in_bfloat16_goes_on_bit_for_bit(data, tmp_path):
    path = str(tmp_path / 'checkpoint.npz')
    options = {'precision': 'bfloat16', 'momentum': 0.9}
    whole, trainer = fit(data, **options)
    resumed, again = stopped_and_resumed(data, path, 13, **options)
    assert_same(whole, resumed)
    assert trainer.history.points == again.history.points
    in_float32, _ = fit(data)
    for name, param in whole.named_parameters():
        assert param.dtype == torch.float32
        assert not torch.equal(param, in_float32.get_parameter(name))


def test_a_loader_that_draws_with_pytorchs_generator_goes_on(tmp_path):
    """Its order, and what it adds to each image, are those of the run."""
    path = str(tmp_path / 'checkpoint.npz')
    data = Images(noise=0.1)
    whole, trainer = fit(data)
    resumed, again = stopped_and_resumed(data, path, 13, momentum=0.9)
    assert_same(whole, resumed)
    assert trainer.history.points == again.history.points


class Adam(VGG):
    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=0.01)


class WithoutMomentum(VGG):
    pass


@pytest.mark.parametrize('make', [Adam, WithoutMomentum])
def test_any_optimizer_goes_on_bit_for_bit(data, tmp_path, make):
    path = tmp_path / 'checkpoint.npz'

    class Stops(Interrupted, make):
        pass

    whole, _ = fit(data, make(TINY, lr=0.05))
    with pytest.raises(KeyboardInterrupt):
        fit(data, Stops(TINY, lr=0.05), checkpoint=path)
    model = make(TINY, lr=0.05)
    fit(data, model, resume=True, checkpoint=path)
    assert_same(model, whole)


class Scratch(Classifier):
    """Softmax regression without a layer or an optimizer of PyTorch's."""

    class Descent:
        def __init__(self, params, lr):
            self.params, self.lr = params, lr

        def zero_grad(self):
            for param in self.params:
                param.grad = None

        def step(self):
            for param in self.params:
                param -= self.lr * param.grad

    def __init__(self, lr=0.1):
        super().__init__()
        self.save_hyperparameters()
        self.W = torch.zeros(784, 10, requires_grad=True)

    def forward(self, X):
        return X.reshape(len(X), -1) @ self.W

    def configure_optimizers(self):
        return self.Descent([self.W], self.lr)


def test_a_model_from_scratch_trains_and_goes_on(data, tmp_path):
    path = tmp_path / 'checkpoint.npz'

    class Stops(Interrupted, Scratch):
        pass

    whole, trainer = fit(data, Scratch())
    losses = trainer.history.points['train_loss']
    assert losses[-1][1] < losses[0][1]
    with pytest.raises(KeyboardInterrupt):
        fit(data, Stops(), checkpoint=path)
    model, _ = fit(data, Scratch(), resume=True, checkpoint=path)
    assert torch.equal(model.W, whole.W)


def test_a_checkpoint_holds_plain_arrays_by_name(data, tmp_path):
    path = tmp_path / 'checkpoint.npz'
    model, _ = fit(data, checkpoint=path)
    with np.load(path, allow_pickle=False) as file:
        names = set(file.files) - {'meta.json', 'sha256'}
        momentum = file['optimizer/conv2_1.weight.momentum']
        weight = file['conv2_1.weight']
    own = {
        f'{layer}.{part}'
        for layer in ('conv1_1', 'conv2_1', 'norm1_1', 'norm2_1')
        + ('dense1', 'dense2')
        for part in ('weight', 'bias')
    }
    statistics = {
        f'norm{i}_1.running_{part}'
        for i in (1, 2)
        for part in ('mean', 'var')
    }
    assert names == own | statistics | {
        f'optimizer/{name}.momentum' for name in own
    }
    np.testing.assert_array_equal(weight, model.net[1][0].weight.detach())
    assert momentum.shape == weight.shape and np.abs(momentum).max() > 0


def test_another_number_of_threads_is_told(data, tmp_path):
    path = tmp_path / 'checkpoint.npz'
    fit(data, checkpoint=path)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(before + 1)
        with pytest.warns(UserWarning, match=f'with {before} threads and'):
            fit(data, resume=True, checkpoint=path)
    finally:
        torch.set_num_threads(before)


# ------------------------------------------------- mathematics


@pytest.mark.parametrize('largest', [0.05, 1e6])
def test_gradients_are_clipped_to_the_norm(data, largest):
    seen = []

    class Watched(VGG):
        def configure_optimizers(self):
            optim = super().configure_optimizers()
            optim.register_step_pre_hook(watch)
            return optim

    def watch(optim, args, kwargs):
        params = optim.param_groups[0]['params']
        square = sum(float((p.grad.double() ** 2).sum()) for p in params)
        seen.append(math.sqrt(square))

    model = Watched(TINY, lr=0.01)
    fit(data, model, max_epochs=1, gradient_clip_val=largest)
    assert len(seen) == 11
    if largest < 1:
        assert seen == pytest.approx([largest] * 11, rel=1e-5)
    else:
        assert 0.05 < min(seen)


def test_the_schedule_sets_the_learning_rate(data):
    rates = []

    class Watched(VGG):
        def training_step(self, batch):
            rates.append(self.trainer.optim.param_groups[0]['lr'])
            return super().training_step(batch)

    fit(data, Watched(TINY, lr=0.4), lr_schedule='cosine')
    # Each step sees the rate of the step before
    expected = [0.4 * (1 + math.cos(math.pi * i / 22)) / 2 for i in range(21)]
    assert rates[1:] == pytest.approx(expected)


def test_the_velocity_holds_the_learning_rate(data):
    """Against the formula, in NumPy, with a rate that changes."""
    from d2l_vgg.torch.sgd import SGD

    draw = np.random.RandomState(0)
    w, v = draw.randn(5), np.zeros(5)
    param = nn.Parameter(torch.tensor(w))
    optim = SGD([param], lr=1, momentum=0.8, weight_decay=0.1)
    for lr in 0.5, 0.1, 0.01, 0.3:
        grad = draw.randn(5)
        optim.param_groups[0]['lr'] = lr
        param.grad = torch.tensor(grad)
        optim.step()
        v = 0.8 * v - lr * (grad + 0.1 * w)
        w = w + v
        np.testing.assert_allclose(param.detach(), w, rtol=1e-12)
        np.testing.assert_allclose(optim.state[param]['momentum'], v)


def test_nothing_waits_for_the_device_but_a_point(data, monkeypatch):
    """Reading a value waits; d2l reads one at every minibatch."""
    reads = []
    for name in '__float__', 'item', 'numpy', '__bool__', 'tolist':
        read = getattr(torch.Tensor, name)

        def counted(self, *args, read=read, **kwargs):
            reads.append(self)
            return read(self, *args, **kwargs)

        monkeypatch.setattr(torch.Tensor, name, counted)
    _, trainer = fit(data, gradient_clip_val=1)
    num_points = sum(map(len, trainer.history.points.values()))
    assert len(reads) == num_points


# ------------------------------------------------- what goes wrong


def test_a_loss_that_is_not_finite_stops_the_run(data):
    class Astray(VGG):
        def loss(self, Y_hat, y, averaged=True):
            return super().loss(Y_hat, y, averaged) * float('inf')

    with pytest.raises(TrainingDiverged, match=r'lower the learning rate'):
        fit(data, Astray(TINY))


def test_a_label_without_a_class_is_refused():
    data = Images()
    data.train[1][7] = 10
    with pytest.raises(ValueError, match='A label is 10'):
        fit(data)


@pytest.mark.parametrize('found', [0, 1, 8])
def test_one_run_uses_one_device(monkeypatch, found):
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: found)
    with pytest.raises(ValueError, match=f'num_gpus is 2, .* has {found}'):
        Trainer(1, num_gpus=2)
    with pytest.raises(ValueError, match='num_gpus is -1, but'):
        Trainer(1, num_gpus=-1)
    where = Trainer(1, num_gpus=1, display='none').device
    assert str(where) == ('cuda:0' if found else 'cpu')


# ------------------------------------------------- a reader's own class


class Written(Classifier):
    """A class as a reader writes it: blocks, and layers of PyTorch's."""

    def __init__(self, lr=0.05):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(
            vgg_block(1, 4, batch_norm=True),
            vgg_block(1, 8, batch_norm=True),
            nn.Flatten(),
            LazyLinear(16),
            nn.ReLU(),
            nn.Dropout(0.5),
            LazyLinear(10),
        )


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


class Bare(nn.Module):
    """No class of ours: all that the trainer asks for, and nothing more."""

    plot_train_per_epoch, plot_valid_per_epoch, lr = 2, 1, 0.1

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.LazyLinear(10))

    def forward(self, X):
        return self.net(X)

    def training_step(self, batch):
        loss = nn.functional.cross_entropy(self(batch[0]), batch[1])
        self.plot('loss', loss, train=True)
        return loss

    def validation_step(self, batch):
        loss = nn.functional.cross_entropy(self(batch[0]), batch[1])
        self.plot('loss', loss, train=False)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.lr)


def test_a_module_of_pytorchs_trains(data):
    _, trainer = fit(data, Bare())
    losses = trainer.history.points['train_loss']
    assert losses[-1][1] < losses[0][1]


@pytest.mark.parametrize(
    'make, options',
    [
        (Bare, {'momentum': 0.9}),
        (Bare, {'weight_decay': 0.1}),
        (Bare, {'label_smoothing': 0.1}),
        (Bare, {'test_flip': True}),
        pytest.param(Bare, {'precision': 'bfloat16'}, marks=needs_bfloat16),
        (Scratch, {'momentum': 0.9}),
        (Scratch, {'lr_schedule': 'cosine'}),
    ],
)
def test_what_a_model_cannot_heed_is_refused(data, make, options):
    with pytest.raises(ValueError, match=f'{list(options)[0]}.* leave'):
        fit(data, make(), **options)


def test_a_checkpoint_of_another_architecture(data, tmp_path):
    path = str(tmp_path / 'checkpoint.npz')
    fit(data, checkpoint=path)
    arch = Architecture('other', ((1, 4), (1, 9)), hidden=(16,))
    other = VGG(arch, lr=0.05)
    with pytest.raises(checkpoint.BadCheckpoint, match='architecture'):
        fit(data, other, resume=True, checkpoint=path, momentum=0.9)
    assert os.path.exists(path)
