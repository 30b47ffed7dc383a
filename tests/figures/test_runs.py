"""The curves hold what they should."""

import numpy as np
import pytest
from matplotlib.text import Text
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


def test_several_runs_have_a_color_each():
    histories = {f'seed {i}': published_run(i) for i in range(3)}
    figure = figures.curves(histories)
    losses, accuracies = figure.axes
    colors = [line.get_color() for line in accuracies.get_lines()]
    assert len(set(colors)) == 3
    # Both series of a run have its color
    loss_colors = [line.get_color() for line in losses.get_lines()]
    assert loss_colors == [color for color in colors for _ in range(2)]
    (legend,) = figure.legends
    assert [t.get_text() for t in legend.get_texts()] == list(histories)


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


def test_band_is_drawn_only_when_asked():
    figure = figures.curves({'run': published_run()})
    assert not any(ax.collections for ax in figure.axes)
    assert not any('MXNet' in text for text in texts(figure))
    other = figures.curves(
        {'run': published_run()}, band=published.Band('jax')
    )
    assert "book's 5 JAX runs: mean ± 3 sd" in texts(other)


def test_short_run_is_not_squeezed_by_the_band():
    figure = figures.curves(
        {'run': published_run(until=2)}, band=published.Band()
    )
    for ax in figure.axes:
        low, high = ax.get_xlim()
        assert low == 0
        assert 2 < high < 2.3
    assert [x for x, _ in lines(figure.axes[1])[0]] == [1, 2]


def test_run_far_from_the_band_stays_in_the_picture():
    history = published_run()
    history.points['train_loss'][0] = (0.2484, 1.882)
    figure = figures.curves({'run': history}, band=published.Band())
    distances = figure.axes[2]
    low, high = distances.get_ylim()
    assert low <= -6
    assert 27.6 < high < 60


@pytest.mark.parametrize('band', [None, published.Band()])
def test_note_and_title_are_seen(band):
    note = 'a smoke test, no result'
    figure = figures.curves({'run': published_run()}, band, 'quick', note)
    figure.draw_without_rendering()
    (heading,) = figure.findobj(
        lambda a: isinstance(a, Text) and note in a.get_text()
    )
    assert heading.get_text() == f'quick\n{note}'
    assert heading.get_color() == figures.NOTE_COLOR
    # Above the axes and within the picture
    box = heading.get_window_extent()
    assert box.y0 >= figure.axes[0].get_window_extent().y1
    assert box.y1 <= figure.bbox.y1


@pytest.mark.parametrize('band', [None, published.Band()])
def test_diverged_run_can_be_drawn(band, tmp_path):
    history = published_run(until=1)
    history.points['train_loss'] += [(1.25, np.inf), (1.75, np.nan)]
    figure = figures.curves({'run': history}, band)
    figures.save(figure, tmp_path / 'curves')
    assert figure.axes[0].get_ylim()[1] < 2


def test_run_with_other_series_can_be_drawn():
    history = History(10, 10)
    history.record('train_loss', 0.5, 2.3)
    figure = figures.curves({'run': history})
    assert len(figure.axes) == 1
    history.record('train_acc', 0.5, 0.1)
    history.record('val_perplexity', 1, 7.0)
    figure = figures.curves({'run': history}, band=published.Band())
    assert lines(figure.axes[1])[-1] == [(0.5, 0.1)]


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match='no points to draw'):
        figures.curves({'run': History(10, 10)})
    with pytest.raises(ValueError, match='theano'):
        figures.curves(
            {'run': published_run()}, band=published.Band('theano')
        )
