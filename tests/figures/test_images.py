"""The images, the mistakes and the confusions show what they should."""

import numpy as np
import pytest
from pictures import texts

from d2l_vgg import figures


def test_images_are_shown_with_their_labels():
    images = np.arange(5 * 28 * 28).reshape(5, 1, 28, 28)
    labels = ['coat', 'bag', 'shirt', 'dress', 'sandal']
    figure = figures.show_images(images, labels, 2, 3)
    assert len(figure.axes) == 6
    for ax, image, label in zip(figure.axes, images, labels):
        assert np.array_equal(ax.get_images()[0].get_array(), image[0])
        assert ax.get_title() == label
    assert not figure.axes[5].get_images()
    # Only as many as there is room for
    assert len(figures.show_images(images, None, 1, 2).axes) == 2


def test_confusion_shows_every_count():
    matrix = np.array([[90, 10, 0], [5, 95, 0], [0, 0, 0]])
    figure = figures.confusion(matrix, ['coat', 'shirt', 'bag'])
    (ax,) = figure.axes
    counts = {t.get_position(): t.get_text() for t in ax.texts}
    # Rows are the true classes; the first number of a position is the column
    assert counts[1, 0] == '10'
    assert counts[0, 1] == '5'
    assert len(counts) == 9
    shades = ax.collections[0].get_array()
    assert shades[0, 0] == pytest.approx(0.9**0.5)
    assert not shades[2].any()
    bottom, top = ax.get_ylim()
    assert bottom > top  # The first row is the uppermost
    assert {'true class', 'predicted class'} <= set(texts(figure))
