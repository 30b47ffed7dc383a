"""The trainer in PyTorch with PyTorch's own loaders, modules and generator.

What it shares with the other frameworks' is tested in `tests/trainer`.
"""

import functools

import pytest

pytest.importorskip('torch')

import own_torch
import torch
import trainings
from processes import run_python
from trainings import Images, assert_learned

from d2l_vgg import torch as package
from d2l_vgg.networks.architectures import Architecture
from d2l_vgg.training import allocator


def fit(model=None, data=None, **options):
    return trainings.fit(package, model, data, **options)


@pytest.mark.parametrize('mode', [torch.no_grad, torch.inference_mode])
def test_training_where_gradients_are_switched_off(mode):
    model = trainings.model_of(package)
    with mode():
        assert_learned(fit(model))


def test_busy_machine_leaves_one_thread_before_pytorch_is_loaded():
    code = """
        import os
        os.cpu_count = lambda: 1  # As if others took the rest
        import d2l_vgg.torch, torch
        print(torch.get_num_threads())
    """
    assert run_python(code) == '1'


def test_it_trains_on_a_loader_with_a_worker_process():
    loader = functools.partial(own_torch.loader, num_workers=1)
    assert_learned(fit(data=Images(loader), max_epochs=1))


def test_the_readers_generator_is_left_as_it_was():
    torch.manual_seed(5)
    fit(max_epochs=1)
    drawn = torch.rand(3)
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.rand(3))


def test_a_module_of_pytorchs_trains():
    assert_learned(fit(own_torch.Bare()))


def test_the_device_is_the_first_gpu(monkeypatch):
    own_torch.pretend_gpus(monkeypatch, 8)
    assert str(package.Trainer(1, num_gpus=1).device) == 'cuda:0'


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
