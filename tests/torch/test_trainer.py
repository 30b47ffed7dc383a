"""The trainer in PyTorch with PyTorch's own loaders, modules and generator.

What it shares with the other frameworks' is tested in `tests/trainer`.
"""

import random

import numpy as np
import pytest

pytest.importorskip('torch')

import own_torch
import torch
import trainings
from torch import nn
from trainings import Images, assert_learned, assert_same, outcome

from d2l_vgg import torch as package
from d2l_vgg.networks.architectures import Architecture
from d2l_vgg.torch.training import SGD
from d2l_vgg.training import allocator


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


def images(noise=0, workers=0):
    """Return data behind PyTorch's own DataLoader."""

    def loader(images, labels, shuffle):
        return torch.utils.data.DataLoader(
            Noise(images, labels, noise),
            batch_size=32,
            shuffle=shuffle,
            num_workers=workers,
        )

    return Images(loader)


def fit(model=None, data=None, **options):
    return trainings.fit(package, model, data, **options)


@pytest.mark.parametrize('workers', [0, 2])
def test_it_trains_on_a_loader_of_pytorchs(workers):
    assert_learned(fit(data=images(workers=workers), max_epochs=1))


def test_a_loader_that_draws_with_pytorchs_generator_goes_on(tmp_path):
    """Its order, and what it adds to each image, are those of the run."""
    path = tmp_path / 'checkpoint.safetensors'
    options = {'data': images(noise=0.1), 'momentum': 0.9}
    whole = fit(**options)
    with pytest.raises(KeyboardInterrupt):
        fit(stop_at=13, checkpoint=path, **options)
    resumed = fit(resume=True, checkpoint=path, **options)
    assert_same(outcome(resumed), outcome(whole))


def test_the_readers_generator_is_left_as_it_was():
    torch.manual_seed(5)
    fit(max_epochs=1)
    drawn = torch.rand(3)
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.rand(3))


def test_a_module_of_pytorchs_trains():
    assert_learned(fit(own_torch.Bare()))


def test_the_number_of_threads_is_pytorchs():
    trainer, before = package.Trainer(1), torch.get_num_threads()
    try:
        torch.set_num_threads(before + 1)
        assert trainer.threads() == before + 1
    finally:
        torch.set_num_threads(before)


def test_the_device_is_the_first_gpu(monkeypatch):
    own_torch.pretend_gpus(monkeypatch, 8)
    assert str(package.Trainer(1, num_gpus=1).device) == 'cuda:0'


def test_the_velocity_holds_the_learning_rate():
    """Against the formula, in NumPy, with a rate that changes."""
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


@pytest.mark.skipif(
    allocator.glibc() is None, reason='the C library is not that of GNU'
)
def test_a_step_computes_in_the_memory_of_those_before():
    """The convolution alone gives 37 MB."""
    resource = pytest.importorskip('resource')
    faults = []

    class Watched(package.Trainer):
        def train_step(self, batch, lr=None):
            metrics = super().train_step(batch, lr)
            usage = resource.getrusage(resource.RUSAGE_SELF)
            faults.append(usage.ru_minflt)
            return metrics

    model = package.VGG(Architecture('tiny', ((1, 16),), hidden=(16,)))
    data = package.FashionMNIST(
        64, resize=(96, 96), num_train=640, num_val=64
    )
    Watched(1, seed=0, display='none').fit(model, data)
    # Each of three steps takes less; in new memory, five times as much
    size = 3 * 64 * 16 * 96 * 96 * 4
    assert faults[-1] - faults[-4] < size / resource.getpagesize()
