"""What a trainer refuses, before it trains or as soon as it shows."""

import inspect
import math
import os
import sys
import types
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
from trainings import (
    ARCH,
    MOVES,
    OPTIONS,
    SIZES,
    Images,
    data_of,
    fit,
    model_of,
    trainer_of,
)

from d2l_vgg import frameworks, machine
from d2l_vgg.training import checkpoint
from d2l_vgg.training.errors import TrainingDiverged


def test_a_loss_that_is_not_finite_stops_the_run(package):
    class Astray(package.VGG):
        def loss(self, Y_hat, y, averaged=True):
            return super().loss(Y_hat, y, averaged) * math.inf

    trainer = trainer_of(package, **OPTIONS)
    with pytest.raises(TrainingDiverged, match='lower the learning rate'):
        trainer.fit(Astray(ARCH), data_of(package))
    losses = trainer.history.points['train_loss']
    assert losses and not math.isfinite(losses[-1][1])


@pytest.mark.parametrize(
    'name, value',
    [
        ('max_epochs', 0),
        ('num_gpus', -1),
        ('gradient_clip_val', -1),
        ('momentum', 1),
        ('label_smoothing', -0.1),
        ('precision', 'float16'),
        ('seed', -1),
    ],
)
def test_impossible_options_are_refused(package, name, value):
    with pytest.raises(ValueError, match=f'{name} is {value!r}'):
        package.Trainer(**{'max_epochs': 1, name: value})


# How a reader changes what a framework computes: its name, a call, its value
# and the value before
SETTINGS = [
    ('mxnet', 'mxnet.npx.set_np(array={})', False, True),
    ('torch', 'torch.set_default_dtype(torch.{})', 'float64', 'float32'),
    ('tensorflow', 'keras.config.set_floatx("{}")', 'float64', 'float32'),
    (
        *('tensorflow', 'keras.config.set_dtype_policy("{}")'),
        *('mixed_float16', 'float32'),
    ),
    (
        *('tensorflow', 'keras.config.set_image_data_format("{}")'),
        *('channels_first', 'channels_last'),
    ),
    ('jax', 'jax.config.update("jax_enable_x64", {})', True, False),
]


@pytest.mark.parametrize('name, call, value, before', SETTINGS)
def test_settings_of_another_computation_are_refused(
    name, call, value, before
):
    pytest.importorskip(name)
    package = frameworks.load(name)
    model, trainer = model_of(package), trainer_of(package)
    data = data_of(package)
    exec(call.format(value), dict(sys.modules))
    try:
        for refusing in (
            lambda: trainer_of(package),
            lambda: trainer.fit(model, data),
            lambda: model.predict([]),
        ):
            with pytest.raises(ValueError, match='computed here it must be'):
                refusing()
    finally:
        exec(call.format(before), dict(sys.modules))


OPTIONAL = 'seed', 'checkpoint', 'num_train', 'num_val'


@pytest.mark.parametrize('value', [None, 'x', math.nan, True, {}], ids=repr)
@pytest.mark.parametrize('cls', ['Trainer', 'VGG', 'FashionMNIST'])
def test_arguments_of_another_kind_are_refused(package, cls, value):
    cls = getattr(package, cls)
    names = inspect.signature(cls).parameters
    for name, param in names.items():
        allowed = (
            name in ('device', 'root')  # The framework's own, and Python's
            or (value is None and name in OPTIONAL)
            or (value == 'x' and name == 'checkpoint')
            or (value is True and param.default is False)
        )
        if allowed:
            continue
        needed = {'max_epochs': 1, 'arch': 'vgg11', 'batch_size': 8}
        given = {n: v for n, v in needed.items() if n in names}
        with pytest.raises(ValueError) as caught:
            cls(**{**given, name: value})
        text = str(caught.value)
        assert repr(value) in text and '\n' not in text, name


@pytest.mark.parametrize('found', [0, 1, 8])
def test_one_run_uses_one_device(package, own, monkeypatch, found):
    own.pretend_gpus(monkeypatch, found)
    told = f'num_gpus is 2, .*GPUs that .* can use here: {found}'
    with pytest.raises(ValueError, match=told):
        package.Trainer(1, num_gpus=2)


@pytest.mark.parametrize('lack', ['training_step', 'configure_optimizers'])
def test_what_is_no_model_is_refused(package, lack):
    names = 'training_step', 'validation_step', 'configure_optimizers'
    model = types.SimpleNamespace(**dict.fromkeys(names), lr=0.1)
    delattr(model, lack)
    told = f'SimpleNamespace has no {lack}, which a trainer calls'
    with pytest.raises(ValueError, match=told):
        trainer_of(package).fit(model, data_of(package))


@pytest.mark.parametrize('capability', [(7, 5), (8, 0)], ids=str)
def test_half_precision_on_a_gpu(package, own, capability, monkeypatch):
    own.pretend_gpus(monkeypatch, 1)
    monkeypatch.setattr(
        package.Trainer, 'capability', lambda self: capability
    )
    old = 'this one has' if capability < (8, 0) else None
    name = package.__name__.rpartition('.')[-1]
    lack = {'mxnet': 'not a GPU', 'jax': None}.get(name, old)
    refused = pytest.raises(ValueError, match=lack) if lack else nullcontext()
    with refused:
        package.Trainer(1, num_gpus=1, precision='bfloat16')


@pytest.mark.parametrize('label', [10, -1])
def test_a_label_without_a_class_is_refused(package, own, label):
    """The loss of MXNet would take the nearest class."""
    with pytest.raises(ValueError, match=f'A label is {label}, but the netw'):
        fit(package, data=Images(own.loader, 64, label))
    data = package.FashionMNIST(32, **{**SIZES, 'num_train': 64})
    data.train = data.train[0], data.train[1].astype(int)
    data.train[1][-1] = label
    with pytest.raises(ValueError, match=f'A label is {label}, .* 10 class'):
        fit(package, data=data)


def test_a_network_with_too_few_outputs_is_refused(package):
    with pytest.raises(ValueError, match='the network has 3 classes'):
        fit(package, model_of(package, num_classes=3))


def test_data_without_training_examples_are_refused(package):
    none = package.FashionMNIST(32, **SIZES)
    none.train = tuple(array[:0] for array in none.train)
    own = types.SimpleNamespace(train_dataloader=list, val_dataloader=list)
    for data in none, own:
        with pytest.raises(ValueError, match='^There are no training exa'):
            fit(package, data=data)


def test_what_the_memory_cannot_hold_is_refused(package, monkeypatch):
    monkeypatch.setattr(machine, 'available_memory', lambda: 2**18)
    with pytest.raises(ValueError, match='but there are 0.2 MiB'):
        fit(package)


# ------------------------------------------------- checkpoints of other runs


@pytest.fixture(scope='module')
def saved(package, tmp_path_factory):
    """A whole checkpoint, of which nobody may change the file."""
    path = tmp_path_factory.mktemp('saved') / 'checkpoint.safetensors'
    fit(package, checkpoint=path, **OPTIONS)
    return path


def resume(package, path, model=None, data=None, **changes):
    options = {**OPTIONS, **changes}
    return fit(package, model, data, resume=True, checkpoint=path, **options)


@pytest.mark.parametrize(
    'name, value',
    [('blocks', ((1, 4), (1, 9))), ('dropout', 0.1), ('lrn', True)],
)
def test_a_checkpoint_of_another_architecture(package, saved, name, value):
    arch = replace(ARCH, **{name: value})
    with pytest.raises(checkpoint.BadCheckpoint, match=f'with {name}='):
        resume(package, saved, package.VGG(arch, lr=0.02))
    assert saved.exists()


def test_a_checkpoint_of_other_data(package, saved):
    def other(**changes):
        return package.FashionMNIST(
            **{'batch_size': 32, **SIZES, **MOVES, **changes}
        )

    resume(package, saved, data=other())
    for changes, name in (
        ({'flip': False}, 'flip=True'),
        ({'shift': 1}, 'shift=2'),
        ({'batch_size': 31}, 'batch_size=32'),
        ({'num_val': 90}, 'other images'),
    ):
        with pytest.raises(checkpoint.BadCheckpoint, match=name):
            resume(package, saved, data=other(**changes))


@pytest.mark.parametrize(
    'change',
    [
        {'seed': 4},
        {'max_epochs': 3},
        {'lr_schedule': 'cosine'},
        {'momentum': 0.8},
        {'weight_decay': 1e-4},
        {'label_smoothing': 0.2},
        {'test_flip': False},
        {'gradient_clip_val': 2},
    ],
    ids=lambda change: list(change)[0],
)
def test_a_checkpoint_of_other_hyperparameters(package, saved, change):
    with pytest.raises(checkpoint.BadCheckpoint, match=list(change)[0]):
        resume(package, saved, **change)


def test_resuming_needs_a_checkpoint(package, tmp_path):
    with pytest.raises(ValueError, match='checkpoint=path'):
        fit(package, resume=True)
    with pytest.raises(FileNotFoundError, match='nothing to resume'):
        fit(package, resume=True, checkpoint=tmp_path / 'none.safetensors')


def spoil(model):
    """Make a number of the first layer nan, after `model` has seen X."""
    arrays = model.arrays()
    arrays['conv1_1.weight'][0, 0, 0, 0] = math.nan
    model.load_arrays(arrays)


@pytest.mark.parametrize('saved', [True, False])
def test_parameters_that_are_not_finite_stop_the_run_unsaved(
    package, tmp_path, saved
):
    path = tmp_path / 'checkpoint.safetensors' if saved else None

    class Spoilt(package.Trainer):
        def save_if_due(self, **options):
            super().save_if_due(**options)
            if self.epoch:
                spoil(self.model)

        def validation_step(self, batch):
            return {}  # No loss of it tells

    options = {**OPTIONS, 'max_epochs': 3, 'checkpoint': path}
    trainer = Spoilt(**options, num_gpus=0, display='none')
    with pytest.raises(TrainingDiverged) as caught:
        trainer.fit(model_of(package), data_of(package))
    assert 'is nan at epoch' in str(caught.value)
    arrays = checkpoint.load(path)[0] if saved else {}
    assert all(np.isfinite(array).all() for array in arrays.values())


def test_parameters_that_are_not_finite_are_not_saved_nor_used(
    package, tmp_path
):
    model, data = model_of(package), data_of(package)
    trainer_of(package, **OPTIONS).fit(model, data)
    spoil(model)
    for use in (
        lambda: model.save(tmp_path / 'p.safetensors'),
        lambda: model.predict(data.val_dataloader()),
    ):
        with pytest.raises(ValueError, match='conv1_1.weight holds nan'):
            use()
    assert not os.listdir(tmp_path)
