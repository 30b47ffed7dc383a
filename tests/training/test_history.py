"""The history: the book's averaging, exact resume, and its CSV.

The book's averaging is held against the positions of the published points;
`mxnet/test_trainer.py` holds it against d2l's.
"""

import json
import math

import numpy as np
import pytest

from d2l_vgg.book import published
from d2l_vgg.training.history import History

NUM_TRAIN, NUM_VAL, NUM_EPOCHS = 469, 79, 10


def random_losses(num_batches, num_epochs=NUM_EPOCHS, seed=0):
    shape = num_epochs, num_batches
    return np.random.RandomState(seed).rand(*shape).astype('float32')


def train(history, losses, val_losses=(), start=0, stop=None):
    """Record as a trainer does, from minibatch `start` to `stop`."""
    num_batches = losses.shape[1]
    for i, loss in list(enumerate(losses.flat))[start:stop]:
        history.record(
            'train_loss', i / num_batches, loss, history.train_every_n
        )
    for epoch, row in enumerate(val_losses):
        for loss in row:
            history.record('val_loss', epoch + 1, loss, history.val_every_n)


def test_points_are_where_the_published_runs_have_theirs():
    history = History(NUM_TRAIN, NUM_VAL)
    losses = random_losses(NUM_TRAIN)
    val_losses = random_losses(NUM_VAL, seed=1)
    train(history, losses, val_losses)
    for run in published.runs('mxnet').values():
        for series in 'train_loss', 'val_loss':
            x = [point[0] for point in history.points[series]]
            book_x = [point[0] for point in run.points[series]]
            assert x == pytest.approx(book_x, abs=2e-5)
    # 234 minibatches to a point, not stopping at the end of an epoch
    means = losses.ravel()[: 20 * 234].reshape(20, 234).mean(1)
    values = [point[1] for point in history.points['train_loss']]
    assert values == pytest.approx(means.tolist(), rel=1e-5)
    values = [point[1] for point in history.points['val_loss']]
    assert values == pytest.approx(val_losses.mean(1).tolist(), rel=1e-5)


def test_device_is_read_once_for_a_point():
    class DeviceScalar:
        """A number that counts how often someone waits for it."""

        reads = 0

        def __init__(self, value):
            self.value = value

        def __add__(self, other):
            return DeviceScalar(self.value + getattr(other, 'value', other))

        __radd__ = __add__

        def __float__(self):
            DeviceScalar.reads += 1
            return self.value

    history = History(8, 8)
    for i in range(8):
        point = history.record('train_loss', i / 8, DeviceScalar(i), 4)
        assert DeviceScalar.reads == (i + 1) // 4
        assert (point is not None) == (i in (3, 7))
    assert history.points['train_loss'] == [(0.1875, 1.5), (0.6875, 5.5)]
    assert history.final == {'train_loss': 5.5}


@pytest.mark.parametrize('scalar', [float, np.array, np.float32])
def test_resumed_run_has_the_same_history(scalar):
    losses = [scalar(loss) for loss in random_losses(23, 6).flat]

    def record(history, i):
        history.record('train_loss', i / 23, losses[i], 11)
        history.record('val_acc', i // 23 + 1, losses[i], 23)

    whole = History(23, 23)
    for i in range(len(losses)):
        record(whole, i)
    for stop in range(0, len(losses), 7):
        part = History(23, 23)
        for i in range(stop):
            record(part, i)
        resumed = History.from_state(json.loads(json.dumps(part.state())))
        for i in range(stop, len(losses)):
            record(resumed, i)
        assert resumed.points == whole.points
        assert resumed.state() == whole.state()


def test_arrays_of_the_caller_stay_as_they_are():
    loss = np.array(1.0, dtype='float32')
    history = History(4, 4)
    for i in range(4):
        history.record('train_loss', i / 4, loss, 4)
    assert loss == 1
    # A framework that writes each loss to the same place
    for i in range(4):
        loss[()] = i
        history.record('val_loss', 1, loss, 4)
    assert history.points['val_loss'] == [(1, 1.5)]


@pytest.mark.parametrize('value', [math.nan, math.inf, -math.inf])
def test_mean_that_is_not_finite_is_kept(value, tmp_path):
    history = History(2, 2)
    assert history.record('train_loss', 0, 1.0, 2) is None
    point = history.record('train_loss', 0.5, np.float32(value), 2)
    assert point[0] == 0.25
    assert str(point[1]) == str(value)
    history.to_csv(tmp_path / 'history.csv')
    again = History.from_csv(tmp_path / 'history.csv')
    assert repr(again.points) == repr(history.points)
    state = json.loads(json.dumps(history.state()))
    assert repr(History.from_state(state).points) == repr(history.points)


def test_small_sets_give_points_too():
    # One minibatch an epoch: stock d2l would wait for the 0-th of them
    history = History(1, 1)
    assert history.record('train_loss', 0, 2.5, history.train_every_n)
    assert history.record('val_loss', 1, 2.5, history.val_every_n)


def test_points_of_an_epoch_above_0_are_needed():
    with pytest.raises(ValueError, match='plot_train_per_epoch is 0'):
        History(10, 10, plot_train_per_epoch=0)
    with pytest.raises(ValueError, match='plot_valid_per_epoch is -1'):
        History(10, 10, plot_valid_per_epoch=-1)


def test_csv_holds_every_digit(tmp_path):
    path = tmp_path / 'new folder' / 'history.csv'
    history = History(469, 79)
    train(history, random_losses(469), random_losses(79))
    history.record('train, "odd" name', 1, 0.1 + 0.2)
    digest = history.to_csv(path)
    assert History.from_csv(path, digest).points == history.points
    lines = path.read_text().splitlines()
    assert lines[0] == 'series,epoch,value'
    x, value = history.points['train_loss'][0]
    assert lines[1] == f'train_loss,{x!r},{value!r}'
    assert len(lines) == 1 + 20 + 10 + 1


@pytest.mark.parametrize(
    'text, line',
    [
        (b'', 1),
        (b'epoch,value\n', 1),
        (b'a,1.0,2.0\n', 1),
        (b'{}a,1.0,2.0\na,1.5\n', 3),
        (b'{},1.0,2.0\n', 2),
        (b'{}a,1.0,2.0,3.0\n', 2),
        (b'{}a,1.0,high\n', 2),
        (b'{}a,nan,2.0\n', 2),
        (b'\xff', 1),
    ],
)
def test_malformed_csv_is_refused(tmp_path, text, line):
    path = tmp_path / 'history.csv'
    path.write_bytes(text.replace(b'{}', b'series,epoch,value\n'))
    message = f'{path} is not .* line {line} must hold series,epoch,value'
    with pytest.raises(ValueError, match=message):
        History.from_csv(path)
