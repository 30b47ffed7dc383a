"""Trainings on a GPU, held against those on the processor.

Skipped where a framework sees none. On GPUs of today float32 is TF32 where
convolutions multiply, so that only 11 bits agree.
"""

import importlib
from dataclasses import replace

import numpy as np
import pytest
from trainings import (
    ARCH,
    OPTIONS,
    SIZES,
    assert_learned,
    data_of,
    fit,
    model_of,
    outcome,
)

ON_GPU = {'num_gpus': 1}


@pytest.fixture(autouse=True)
def on_gpu(package):
    """A trainer on the GPU; skips where there is none."""
    trainer = package.Trainer(1, display='none', **ON_GPU)
    if trainer.on_cpu:
        pytest.skip(f'{package.__name__} sees no GPU')
    return trainer


def assert_near(found, expected, rtol):
    """Two `Outcome`s differ by rounding, measured array by array.

    Normalization takes the biases of convolutions out: theirs is noise.
    """
    assert list(found.arrays) == list(expected.arrays)
    for name, array in expected.arrays.items():
        if name.endswith(('.weight', '.running_var')):
            far = np.linalg.norm(found.arrays[name] - array)
            assert far <= rtol * np.linalg.norm(array), name
    for series, points in expected.points.items():
        # An image or two of 80 may be on the other side
        few = 3 / 80 if series == 'val_acc' else 0
        np.testing.assert_allclose(
            found.points[series], points, rtol, few, err_msg=series
        )


def start_of(package, path):
    """Return a model with parameters that both devices begin with."""
    model = model_of(package)
    if not path.exists():
        drawn = model_of(package)
        fit(package, drawn, max_epochs=1)
        drawn.save(path)
    model.load(path)
    return model


@pytest.fixture
def both(package, tmp_path):
    """Train on the processor, and on the GPU from the same parameters."""

    def trained(**options):
        path = tmp_path / 'start.safetensors'
        on_cpu = fit(package, start_of(package, path), **OPTIONS)
        on_gpu = fit(
            package, start_of(package, path), **ON_GPU, **OPTIONS, **options
        )
        assert on_cpu.on_cpu and not on_gpu.on_cpu
        return on_gpu, on_cpu

    return trained


def test_a_run_is_that_of_the_processor_up_to_rounding(both):
    found, expected = both()
    assert_near(outcome(found), outcome(expected), 0.02)


def test_half_precision_trains_as_float32_up_to_rounding(both, on_gpu):
    reason = on_gpu.unsupported_reason('bfloat16')
    if reason:
        pytest.skip(f'bfloat16 {reason}')
    found, expected = both(precision='bfloat16')
    assert_near(outcome(found), outcome(expected), 0.1)
    assert {a.dtype.name for a in found.arrays().values()} == {'float32'}


def test_a_run_goes_on_after_it_was_stopped(package, tmp_path):
    path = tmp_path / 'run.safetensors'
    options = {**ON_GPU, **OPTIONS, 'checkpoint': path}
    models = [
        package.VGG(replace(ARCH, dropout=0.5), lr=0.02) for _ in range(3)
    ]
    expected = outcome(fit(package, models[0], **options))
    with pytest.raises(KeyboardInterrupt):
        fit(package, models[1], stop_at=13, **options)
    resumed = fit(package, models[2], resume=True, **options)
    assert_near(outcome(resumed), expected, 1e-3)


@pytest.mark.parametrize('first', [0, 1])
def test_a_run_goes_on_from_one_device_to_the_other(package, first, tmp_path):
    path = tmp_path / 'checkpoint.safetensors'
    with pytest.raises(KeyboardInterrupt):
        fit(package, stop_at=13, checkpoint=path, num_gpus=first, **OPTIONS)
    options = {'checkpoint': path, 'num_gpus': 1 - first, **OPTIONS}
    resumed = fit(package, resume=True, **options)
    assert resumed.on_cpu == (first == 1)
    assert_learned(resumed)


def test_the_images_are_those_of_the_processor(package, on_gpu):
    """Grey levels are not moved by rounding as TF32 does."""
    options = {**SIZES, 'resize': 56}
    data = package.FashionMNIST(64, **options, device=on_gpu.device)
    beside = package.FashionMNIST(64, **options)
    batches = zip(data.val_dataloader(), beside.val_dataloader())
    for (X, y), (X_beside, y_beside) in batches:
        found, expected = data.to_numpy(X), beside.to_numpy(X_beside)
        np.testing.assert_allclose(found, expected, atol=1e-6)
        np.testing.assert_array_equal(
            data.to_numpy(y), beside.to_numpy(y_beside)
        )


def test_no_step_waits_for_the_labels(package):
    trainer = fit(package, max_epochs=1, **ON_GPU)
    for batch in trainer.train_dataloader:
        assert trainer.labels(batch) is None


def test_its_parameters_predict_on_the_processor(package, tmp_path):
    model = model_of(package)
    trainer = fit(package, model, max_epochs=1, **ON_GPU)
    model.save(tmp_path / 'parameters.safetensors')
    loaded = package.VGG(ARCH)
    loaded.load(tmp_path / 'parameters.safetensors')
    batch = next(iter(data_of(package).val_dataloader()))
    _, scores = model.scored(next(iter(trainer.val_dataloader)), False)
    y, expected = loaded.scored(batch, False)
    assert len(y) == len(scores) == len(expected)
    np.testing.assert_allclose(scores, expected, atol=5e-3)


def test_a_training_leaves_the_generators_as_they_were(package):
    """Those of the GPU, too, where the framework has such."""
    if package.__name__ != 'd2l_vgg.torch':
        pytest.skip('only PyTorch has one that others draw from')
    torch = importlib.import_module('torch')
    torch.manual_seed(1)
    expected = torch.rand(3, device='cuda').tolist()
    torch.manual_seed(1)
    fit(package, max_epochs=1, **ON_GPU)
    assert torch.rand(3, device='cuda').tolist() == expected
