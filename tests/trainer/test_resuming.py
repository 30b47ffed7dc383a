"""A training that was stopped, anywhere, goes on as if it had not been."""

import dataclasses
import random
import signal
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from frameworks import needs_bfloat16
from trainings import (
    ARCH,
    OPTIONS,
    Images,
    assert_same,
    data_of,
    fit,
    model_of,
    outcome,
    whole,
)

from d2l_vgg.training import arrays as files
from d2l_vgg.training import checkpoint

# In the first step and in the last, at the end of an epoch and behind it;
# in the first validation and at the end of the last
STOPS = [0, 4, 10, 11, 15, 21, ('val', 0), ('val', 5)]
SIGNALS = [
    *(signal.SIGINT, signal.SIGTERM, signal.SIGHUP),
    *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU),
]


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'checkpoint.safetensors'


def stopped_and_resumed(package, path, stop_at, make=None, **options):
    """Return the outcome of a run that was stopped in between."""
    make = make or (lambda: None)
    options = {'checkpoint': path, **options}
    # The step in which it is told to stop is its last one
    steps = stop_at + 1 if isinstance(stop_at, int) else '.*'
    with pytest.raises(KeyboardInterrupt, match=f'after {steps} of .* steps'):
        fit(package, make(), stop_at=stop_at, **options)
    options.pop('signum', None)
    return outcome(fit(package, make(), resume=True, **options))


@pytest.mark.parametrize('stop_at', STOPS, ids=str)
def test_it_goes_on_as_if_it_had_not_been(package, path, stop_at):
    signum = SIGNALS[STOPS.index(stop_at) % len(SIGNALS)]
    before = signal.getsignal(signum)
    resumed = stopped_and_resumed(
        package, path, stop_at, signum=signum, **OPTIONS
    )
    assert signal.getsignal(signum) is before
    assert_same(resumed, whole(package))


@needs_bfloat16
def test_a_run_in_half_precision_goes_on_bit_for_bit(package, path):
    options = {'precision': 'bfloat16', **OPTIONS}
    expected = outcome(fit(package, **options))
    assert_same(stopped_and_resumed(package, path, 13, **options), expected)
    in_float32 = whole(package).arrays
    for name, array in expected.arrays.items():
        assert array.dtype == 'float32'
        if name.endswith('weight'):
            assert not np.array_equal(array, in_float32[name]), name


def test_an_optimizer_of_the_readers_own_goes_on(package, own, path):
    def make():
        return own.Adam(ARCH)

    expected = outcome(fit(package, make()))
    resumed = stopped_and_resumed(package, path, 14, make)
    assert_same(resumed, expected)
    kept = [name for name in resumed.arrays if 'optimizer/' in name]
    assert len(kept) >= 2 * 12  # Two moments of each parameter


def test_a_model_from_scratch_goes_on(package, own, path):
    expected = outcome(fit(package, own.Scratch()))
    losses = expected.points['train_loss']
    assert losses[-1][1] < losses[0][1]
    resumed = stopped_and_resumed(package, path, 14, make=own.Scratch)
    assert_same(resumed, expected)
    assert any(np.abs(array).max() > 0 for array in resumed.arrays.values())


class Shuffled(list):
    """Minibatches that Python's own generator puts in order."""

    def __iter__(self):
        return iter(random.sample(self[:], len(self)))


@pytest.mark.parametrize('generator', ["Python's", "the framework's"])
def test_a_loader_that_draws_from_a_generator_goes_on(
    package, own, path, generator
):
    def shuffled(images, labels, shuffle):
        batches = list(own.loader(images, labels, shuffle=False))
        return Shuffled(batches) if shuffle else batches

    data = Images(shuffled if generator == "Python's" else own.loader)
    expected = outcome(fit(package, data=data, **OPTIONS))
    resumed = stopped_and_resumed(package, path, 17, data=data, **OPTIONS)
    assert_same(resumed, expected)


@pytest.mark.parametrize(
    'seconds, expected',
    [
        (0, [None, *range(1, 22)]),  # Each one, before the next begins
        (3600, [None] * 11 + [11] * 11),  # At the end of an epoch
    ],
)
def test_checkpoints_are_written_as_often_as_asked(
    package, path, seconds, expected
):
    """From which minibatch a run goes on that is killed in any of them."""
    found = []

    class Looking(package.Trainer):
        def train_step(self, batch, lr=None):
            _, meta = checkpoint.load(path) if path.exists() else (None, {})
            found.append(meta.get('train_batch_idx'))
            return super().train_step(batch, lr)

    options = {'checkpoint': path, 'checkpoint_seconds': seconds, **OPTIONS}
    trainer = Looking(2, seed=3, display='none', **options)
    trainer.fit(model_of(package), data_of(package))
    assert found == expected
    assert checkpoint.load(path)[1]['epoch'] == 2  # Its end, in any case
    assert list(path.parent.iterdir()) == [path]


def test_a_checkpoint_brings_its_seed_and_its_seconds(package, path):
    with pytest.raises(KeyboardInterrupt):
        fit(package, stop_at=4, checkpoint=path, **OPTIONS)
    arrays, meta = checkpoint.load(path)
    files.save(path, arrays, {**meta, 'seconds': 3600.0})
    again = fit(package, resume=True, checkpoint=path, seed=None, **OPTIONS)
    assert again.seed == 3
    assert again.seconds > 3600
    assert_same(outcome(again), whole(package))


def test_a_run_outside_the_main_thread_takes_no_signals(package):
    before = list(map(signal.getsignal, SIGNALS))
    with ThreadPoolExecutor(1) as executor:
        found = executor.submit(fit, package, **OPTIONS).result()
        during = executor.submit(list, map(signal.getsignal, SIGNALS))
    assert during.result() == before
    assert_same(outcome(found), whole(package))


def test_another_number_of_threads_is_told(package, own, path, monkeypatch):
    fit(package, checkpoint=path, **OPTIONS)
    threads = own.compute_with_other_threads(monkeypatch)
    told = f'threads was .* and is now {threads}:'
    with pytest.warns(UserWarning, match=told):
        fit(package, resume=True, checkpoint=path, **OPTIONS)


def test_parameters_of_a_network_with_other_layers_are_refused(
    package, tmp_path
):
    path = tmp_path / 'parameters.safetensors'
    fit(package).model.save(path)
    package.VGG(dataclasses.replace(ARCH, dropout=0)).load(path)
    with pytest.raises(ValueError, match='lrn is False there and True in'):
        package.VGG(dataclasses.replace(ARCH, lrn=True)).load(path)
