"""Histories to draw, and what is to be seen in a picture."""

from typing import NamedTuple
from unittest import mock

import numpy as np
from matplotlib.text import Text

from d2l_vgg import figures
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


class Place(NamedTuple):
    """Where a text is drawn: left and right, bottom and top, in pixels.

    `along` is the same after the page was turned by `angle`, so that the text
    is level; `page` are the width and the height of the picture.
    """

    box: np.ndarray
    along: np.ndarray
    angle: float
    page: np.ndarray


def places_of_texts(figure, path):
    """Save a picture and return text -> `Place` of what is drawn there.

    Not all ticks have their text drawn.
    """
    places = {}
    original = Text.draw

    def draw(artist, renderer):
        if artist.get_visible() and artist.get_text().strip():
            places[artist] = _place(artist, renderer)
        return original(artist, renderer)

    with mock.patch.object(Text, 'draw', draw):
        figures.save(figure, path)
    return places


def assert_texts_have_room(places):
    """No text leaves its picture, and none lies on another."""
    assert places
    texts, places = list(places), list(places.values())
    boxes = np.array([place.box for place in places])
    along = np.array([place.along for place in places])
    angles = np.array([place.angle for place in places])
    assert boxes.min() >= -0.5, texts[boxes.min(axis=(1, 2)).argmin()]
    for text, place in zip(texts, places):
        assert (place.box[:, 1] <= place.page + 0.5).all(), text
    # Those at one angle are compared along it
    level = angles[:, None] == angles
    apart = np.where(level, _are_apart(along), _are_apart(boxes))
    for i, j in np.argwhere(~apart):
        assert i == j, (texts[i], texts[j])


def _are_apart(boxes):
    """Return which of n boxes are apart, of shape (n, n)."""
    starts, ends = boxes[..., 0], boxes[..., 1]
    before = (ends[:, None] <= starts).any(axis=-1)
    return before | before.T


def _place(text, renderer):
    extent = text.get_window_extent(renderer)
    turn = text.get_rotation()
    box = along = np.array([extent.intervalx, extent.intervaly])
    if turn:
        angle = np.radians(turn)
        middle = box.mean(axis=1) @ np.array(
            [
                [np.cos(angle), -np.sin(angle)],
                [np.sin(angle), np.cos(angle)],
            ]
        )
        text.set_rotation(0)
        straight = text.get_window_extent(renderer)
        text.set_rotation(turn)
        half = np.array([straight.width, straight.height]) / 2
        along = np.stack([middle - half, middle + half], axis=1)
    page = text.get_figure().bbox.max.copy()
    return Place(box, along, turn, page)
