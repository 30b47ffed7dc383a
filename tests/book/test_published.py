"""The published curves, and runs held against them."""

import math
import statistics

import numpy as onp
import pytest

from d2l_vgg.book import published
from d2l_vgg.training.history import History

SERIES = ['train_loss', 'val_loss', 'val_acc']


def mean_run(framework='mxnet', distance=0.0, until=math.inf):
    """A run that lies `distance` standard deviations above the mean."""
    history = History(469, 79)
    for series, points in published.band(framework).items():
        for p in points:
            if p.epoch <= until:
                value = p.mean + distance * p.sd
                history.record(series, p.epoch, value)
    return history


@pytest.mark.parametrize(
    'framework, num_runs, final',
    [
        ('mxnet', 11, (0.2915, 0.2653, 0.9028)),
        ('pytorch', 11, (0.2991, 0.2994, 0.8917)),
        ('tensorflow', 11, (0.2026, 0.2900, 0.8976)),
        ('jax', 5, (0.2786, 0.2867, 0.8959)),
    ],
)
def test_final_means(framework, num_runs, final):
    band = published.band(framework)
    assert list(band) == SERIES
    assert [len(points) for points in band.values()] == [20, 10, 10]
    means = [points[-1].mean for points in band.values()]
    assert means == pytest.approx(final, abs=6e-5)
    assert {p.runs for points in band.values() for p in points} == {num_runs}
    assert len(published.runs(framework)) == num_runs


@pytest.mark.parametrize('framework', list(published.FRAMEWORKS))
def test_band_is_that_of_the_runs(framework):
    runs = published.runs(framework).values()
    for series, points in published.band(framework).items():
        for i, p in enumerate(points):
            x = [run.points[series][i][0] for run in runs]
            values = [run.points[series][i][1] for run in runs]
            assert x == pytest.approx([p.epoch] * p.runs, abs=1e-4)
            expected = (
                statistics.mean(values),
                statistics.stdev(values),
                min(values),
                max(values),
            )
            # The band is rounded to 5 digits after the point
            assert p[1:5] == pytest.approx(expected, abs=6e-6)


def test_published_runs_lie_in_their_own_band():
    for run in published.runs('mxnet').values():
        rows = published.compare(run)
        assert len(rows) == 40
        # No value of 11 is further than 10 / sqrt(11) from their mean
        assert max(abs(row.distance) for row in rows) < 3.02
        assert published.verdict(run).startswith('This run ends as the book:')


def test_compare_gives_distances():
    history = mean_run(distance=2)
    history.points['train_loss'][0] = (0.2484, 1.882)
    rows = published.compare(history)
    assert [row.series for row in rows] == (
        ['train_loss'] * 20 + ['val_loss'] * 10 + ['val_acc'] * 10
    )
    # The run on a CPU that stayed on the plateau for 140 minibatches
    assert rows[0][:5] == ('train_loss', 0.2484, 1.64791, 0.00847, 1.882)
    assert rows[0].distance == pytest.approx(27.638, abs=1e-3)
    for row in rows[1:]:
        assert row.distance == pytest.approx(2, abs=1e-9)


def test_short_run_is_compared_as_far_as_it_goes():
    history = mean_run(until=2)
    rows = published.compare(history)
    epochs = [row.epoch for row in rows]
    assert epochs == [0.2484, 0.7473, 1.2463, 1.7452, 1.0, 2.0, 1.0, 2.0]
    assert 'so there is no verdict; 8 of its 8' in published.verdict(history)


def test_other_points_are_left_out():
    # Minibatches of 256 move the points by less than the tolerance
    history = History(235, 40)
    for i in range(235 * 10):
        history.record('train_loss', i / 235, 1.0, history.train_every_n)
    for i in range(20):
        history.record('val_acc', (i + 1) / 2, i)
    history.record('train_acc', 1, 0.5)
    rows = published.compare(history)
    assert sum(row.series == 'train_loss' for row in rows) == 20
    values = [row.value for row in rows if row.series == 'val_acc']
    assert values == list(range(1, 20, 2))
    assert len(rows) == 30


def test_run_without_common_points():
    history = History(1, 1)
    for nothing in history, mean_run(until=0):
        assert published.compare(nothing) == []
        assert published.delay(nothing) is None
        assert published.verdict(nothing).startswith(
            'No point of this run lies'
        )


def test_verdict_tells_values_and_distances():
    history = mean_run(distance=1)
    history.points['val_acc'][-1] = (10.0, 0.8920)
    assert published.verdict(history) == (
        'This run does not end as the book: val_acc 0.8920 (-6.6 sd) not '
        "within 3 sample standard deviations of the mean of the book's 11 "
        'MXNet runs; within are train_loss 0.2944 (+1.0 sd), val_loss 0.2703 '
        '(+1.0 sd).'
    )


@pytest.mark.parametrize(
    'distance, is_within',
    [(3.1, False), (math.nan, False), (math.inf, False), (-2.9, True)],
)
def test_verdict_takes_what_is_within_3_deviations(distance, is_within):
    verdict = published.verdict(mean_run('jax', distance), 'jax')
    ends = 'ends' if is_within else 'does not end'
    assert verdict.startswith(f'This run {ends} as the book:')


@pytest.mark.parametrize('ask', [published.band, published.runs])
def test_unknown_framework_is_refused(ask):
    with pytest.raises(ValueError, match="'theano'.*mxnet, pytorch"):
        ask('theano')


@pytest.mark.parametrize('shift', [-0.4, 0, 0.8])
def test_the_delay_of_a_shifted_run_is_found_again(shift):
    points = published.band()['train_loss']
    run = History(None, None)
    for x in [0.1 * i for i in range(1, 101)]:
        losses = [math.log(point.mean) for point in points]
        epochs = [point.epoch for point in points]
        loss = math.exp(onp.interp(x - shift, epochs, losses))
        run.record('train_loss', x, loss)
    assert published.delay(run) == pytest.approx(shift, abs=0.011)
