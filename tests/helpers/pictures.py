"""Histories to draw, and what is to be seen in a picture."""

import itertools
from unittest import mock

import numpy as np
from matplotlib.text import Text

from d2l_vgg.book import published
from d2l_vgg.training.history import History


def published_run(i=0, until=10):
    """A published run, up to an epoch."""
    history = History(469, 79)
    run = list(published.runs('mxnet').values())[i]
    for series, points in run.points.items():
        history.points[series] = [p for p in points if p[0] <= until]
    return history


def texts(figure):
    figure.draw_without_rendering()
    found = figure.findobj(Text)
    return [text.get_text() for text in found if text.get_text()]


def drawn_texts(figure):
    """Return the Text artists that are drawn, which not all ticks' are."""
    drawn = []

    def draw(artist, renderer):
        if artist.get_visible() and artist.get_text().strip():
            drawn.append(artist)
        return original(artist, renderer)

    original = Text.draw
    with mock.patch.object(Text, 'draw', draw):
        figure.draw_without_rendering()
    return drawn


def assert_texts_have_room(figure, dpi):
    """No text of a picture leaves it, and none lies on another.

    `dpi` are those of a file, in which letters are rounded to pixels.
    """
    figure.set_dpi(dpi)
    drawn = drawn_texts(figure)
    assert drawn
    for text in drawn:
        box = text.get_window_extent()
        assert box.x0 >= -0.5 and box.y0 >= -0.5, text
        assert box.x1 <= figure.bbox.x1 + 0.5, text
        assert box.y1 <= figure.bbox.y1 + 0.5, text
    angles = [text.get_rotation() for text in drawn]
    upright = [_sides(text, 0) for text in drawn]
    # Those at one angle are compared along it
    along = [_sides(text, angle) for text, angle in zip(drawn, angles)]
    for i, j in itertools.combinations(range(len(drawn)), 2):
        sides = along if angles[i] == angles[j] else upright
        pairs = zip(sides[i], sides[j])
        apart = any(a[1] <= b[0] or b[1] <= a[0] for a, b in pairs)
        assert apart, (drawn[i], drawn[j])


def _sides(text, turn):
    """Return where a text begins and ends, across and up, after a turn."""
    box = text.get_window_extent()
    middle = np.array([box.x0 + box.x1, box.y0 + box.y1]) / 2
    size = np.array([box.width, box.height])
    if turn:
        angle = np.radians(turn)
        middle = middle @ np.array(
            [
                [np.cos(angle), -np.sin(angle)],
                [np.sin(angle), np.cos(angle)],
            ]
        )
        text.set_rotation(0)
        straight = text.get_window_extent()
        text.set_rotation(turn)
        size = np.array([straight.width, straight.height])
    return np.stack([middle - size / 2, middle + size / 2], axis=1).tolist()
