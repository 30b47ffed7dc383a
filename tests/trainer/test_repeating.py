"""What a training records, and that its seed repeats it bit for bit."""

import copy

import numpy as np
import pytest
from trainings import (
    ARCH,
    NUM_BATCHES,
    OPTIONS,
    assert_same,
    data_of,
    fit,
    model_of,
    outcome,
    trainer_of,
    whole,
)


def test_fit_returns_the_history(package):
    points = whole(package).points
    assert [x for x, _ in points['val_loss']] == [1, 2]
    assert [x for x, _ in points['val_acc']] == [1, 2]
    # 11 minibatches an epoch: a point after each 5, across the epochs
    assert [x for x, _ in points['train_loss']] == pytest.approx(
        [2 / 11, 7 / 11, 12 / 11, 17 / 11]
    )
    losses = [value for _, value in points['train_loss']]
    assert sorted(losses, reverse=True) == losses


def test_a_seed_repeats_a_run_bit_for_bit(package, own):
    own.draw()  # Whatever was drawn in between
    np.random.rand(10)
    assert_same(outcome(fit(package, **OPTIONS)), whole(package))


def test_another_seed_gives_another_run(package):
    other = outcome(fit(package, seed=4, **OPTIONS))
    assert other.points != whole(package).points
    for name, array in other.arrays.items():
        assert not np.array_equal(array, whole(package).arrays[name]), name


# Of Keras, which makes a file of a network
@pytest.mark.filterwarnings('ignore:__array__ implementation')
def test_a_copy_of_a_trained_model_is_as_it_and_apart_from_it(package):
    model, data = model_of(package), data_of(package)
    fit(package, model, **OPTIONS)
    if getattr(getattr(package, 'patches', None), 'IS_2', False):
        with pytest.raises(TypeError, match='MXNet 2 cannot copy'):
            copy.deepcopy(model)
        return
    copied, other = copy.deepcopy(model), copy.deepcopy(model)
    assert copied.trainer is None and model.trainer is not None
    (_, scores), (_, expected) = (
        each.predict(data.val_dataloader()) for each in (copied, model)
    )
    np.testing.assert_array_equal(scores, expected)
    trained = fit(package, copied, **OPTIONS)
    for name, array in other.arrays().items():
        np.testing.assert_array_equal(array, model.arrays()[name], name)
        assert not np.array_equal(array, copied.arrays()[name]), name
    # As the model itself would be trained on
    assert_same(outcome(trained), outcome(fit(package, model, **OPTIONS)))


def test_nothing_waits_for_the_device_but_a_point(package, own, monkeypatch):
    """Reading a value waits; d2l reads one at every minibatch."""
    whole(package)  # Compiling may read
    # Once an epoch it reads the parameters
    monkeypatch.setattr(package.Trainer, 'finite_arrays', lambda self: {})
    reads = own.count_reads(monkeypatch)
    points = fit(package, **OPTIONS).history.points
    num_points = sum(map(len, points.values()))
    assert num_points <= len(reads) <= num_points + own.SPARE_READS


def test_a_readers_own_plot_gets_each_value(package):
    if package.__name__.endswith(('tensorflow', 'jax')):
        pytest.skip('its steps are compiled: values are there afterwards')
    found = []

    class Printing(package.VGG):
        def plot(self, key, value, train):
            read = float(self.trainer.detach(value))
            found.append((key, read, train))
            super().plot(key, value, train)
            super().plot('twice_' + key, 2 * value, train)

    model = Printing(ARCH, lr=0.02)
    trainer = fit(package, model, max_epochs=1, **OPTIONS)
    losses = [value for key, value, train in found if train]
    assert len(losses) == NUM_BATCHES
    assert len(set(losses)) == len(losses)
    assert {key for key, _, train in found if not train} == {'loss', 'acc'}
    points = trainer.history.points
    (x, value), *_ = points['train_loss']
    assert value == pytest.approx(np.mean(losses[:5]))
    assert points['train_twice_loss'][0] == pytest.approx((x, 2 * value))


@pytest.mark.parametrize('found', [0, 1, 8])
def test_one_gpu_means_the_cpu_where_there_is_none(
    package, own, found, monkeypatch
):
    own.pretend_gpus(monkeypatch, found)
    assert trainer_of(package, num_gpus=1).on_cpu == (found == 0)
    assert trainer_of(package, num_gpus=0).on_cpu
