"""The curves hold what they should."""

import numpy as np
import pytest
from pictures import published_run, texts

from d2l_vgg import figures
from d2l_vgg.book import published
from d2l_vgg.training.history import History


def lines(ax):
    """What the lines of `ax` show, without those of its legend."""
    return [list(zip(*line.get_data())) for line in ax.get_lines()]


def test_a_run_is_drawn_in_the_style_of_the_board():
    history = published_run()
    figure = figures.curves({'run': history})
    losses, accuracies = figure.axes
    train_loss, val_loss = losses.get_lines()
    (val_acc,) = accuracies.get_lines()
    for line, name, style in (
        (train_loss, 'train_loss', '-'),
        (val_loss, 'val_loss', '--'),
        (val_acc, 'val_acc', '-.'),
    ):
        assert list(zip(*line.get_data())) == history.points[name]
        assert line.get_linestyle() == style
    colors = {line.get_color() for line in (train_loss, val_loss, val_acc)}
    assert len(colors) == 3
    labels = [t.get_text() for t in losses.get_legend().get_texts()]
    assert labels == ['train_loss', 'val_loss']
    assert {'epoch', 'loss', 'accuracy', 'val_acc'} <= set(texts(figure))
    # Letters of 10 points have 9 pixels on a phone, 390 pixels wide
    assert 390 * 10 / (72 * figure.get_figwidth()) >= 9


def test_band_is_drawn_behind_and_the_distances_below():
    history = published_run()
    figure = figures.curves({'run': history}, band=published.Band())
    losses, accuracies, _, acc_distances = figure.axes
    mean, run = lines(accuracies)
    points = published.band('mxnet')['val_acc']
    assert mean == [(p.epoch, p.mean) for p in points]
    assert run == history.points['val_acc']
    (shade,) = accuracies.collections
    y = shade.get_paths()[0].vertices[:, 1]
    assert y.min() == min(p.mean - 3 * p.sd for p in points)
    assert y.max() == max(p.mean + 3 * p.sd for p in points)
    assert len(losses.collections) == 2
    rows = published.compare(history)
    distances = [(r.epoch, r.distance) for r in rows if r.series == 'val_acc']
    assert lines(acc_distances)[-1] == distances
    assert "book's 11 MXNet runs: mean ± 3 sd" in texts(figure)


@pytest.mark.parametrize(
    'distance, scale', [(11, 'linear'), (14, 'symlog'), (-14, 'symlog')]
)
def test_distances_above_12_deviations_have_a_logarithmic_scale(
    distance, scale
):
    history = History(None, None)
    for series, points in published.band('mxnet').items():
        for p in points:
            history.record(series, p.epoch, p.mean + distance * p.sd)
    figure = figures.curves({'run': history}, band=published.Band())
    below = figure.axes[2]
    assert below.get_yscale() == scale
    low, high = below.get_ylim()
    assert low < distance < high


@pytest.mark.parametrize('band', [None, published.Band()])
def test_diverged_run_can_be_drawn(band, tmp_path):
    history = published_run(until=1)
    history.points['train_loss'] += [(1.25, np.inf), (1.75, np.nan)]
    figure = figures.curves({'run': history}, band)
    figures.save(figure, tmp_path / 'curves')
    assert figure.axes[0].get_ylim()[1] < 2


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match='no points to draw'):
        figures.curves({'run': History(10, 10)})
    with pytest.raises(ValueError, match='theano'):
        figures.curves(
            {'run': published_run()}, band=published.Band('theano')
        )
