"""Every picture, with much and with little in it: all its texts have room."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from pictures import (
    assert_texts_have_room,
    places_of_texts,
    published_run,
)

from d2l_vgg import figures
from d2l_vgg.book import published
from d2l_vgg.datasets.fashion_mnist import TEXT_LABELS
from d2l_vgg.training import smoke_test
from d2l_vgg.training.history import History

ROOT = Path(__file__).parents[2]

# The first and the last that a name can be, and what has no room in a line
LONG = 'a run of which there is much to be told ' * 8

STRANGE = [
    '_hidden',
    '$x^2$ and $5',
    'two\nlines',
    '\x1b[31mred\x1b[0m',
    '\u6df1\u5ea6\u5b66\u4e60',
    '\ud800',
    'x' * 500,
    '',
    '<!-- & -->',
]


def recorded(name):
    folder = ROOT / 'chapter' / 'results' / name
    return History.from_csv(folder / 'history.csv')


def history(**points):
    made = History(None, None)
    made.points = points
    return made


def runs(count, name='run {}'):
    return {name.format(i): published_run(i % 11) for i in range(count)}


def curves(histories, band=None, **words):
    band = band and published.Band(band)
    return lambda: figures.curves(histories, band, **words)


def mistakes(count):
    """The mistakes with the longest titles that there are."""
    titles = [
        f'label {TEXT_LABELS[i % 10]},\npredicted ankle boot (100%)'
        for i in range(count)
    ]
    images = np.zeros((count, 28, 28))
    return lambda: figures.mistakes(images, titles[:count])


def confusion(labels, largest=1000):
    matrix = np.full((len(labels), len(labels)), largest // 10)
    np.fill_diagonal(matrix, largest)
    return lambda: figures.confusion(matrix, labels)


NOTE = smoke_test.note(1)
FAR = history(
    train_loss=[(0.25, 2.3), (0.75, 1e9), (1.25, np.inf), (1.75, np.nan)],
    val_acc=[(1, -5.0)],
)
CASES = {
    'quick': curves({'quick': recorded('quick')}),
    'book': curves({'book': recorded('book')}, 'mxnet'),
    'own draw': curves(
        {'own': recorded('book-own-draw')}, 'mxnet', note=NOTE
    ),
    'a point, band': curves(
        {'run': history(train_loss=[(0.25, 2.3)])}, 'mxnet', note=NOTE
    ),
    'on the board': curves(runs(1), note=NOTE, max_epochs=10),
    'far, two': curves({'run': FAR, 'book': recorded('book')}, 'pytorch'),
    'other series': curves(
        {
            'run': history(
                **{name: [(0.5, 0.1), (1, 0.2)] for name in [*'abc', LONG]},
                train_acc=[(1, 1e-9)],
            )
        },
        note=NOTE,
    ),
    'strange series': curves(
        {'run': history(**{name: [(1, 0.1)] for name in STRANGE})}
    ),
    'strange names, band': curves(
        {name: published_run() for name in STRANGE}, 'jax', note=NOTE
    ),
    'long names': curves(runs(3, LONG + '{}'), 'mxnet', note=LONG),
    'no break': curves(runs(1, 'x' * 2000), note='y' * 300),
    'no mistake': confusion(TEXT_LABELS),
    'thirty classes': confusion(TEXT_LABELS * 3),
    'large counts': confusion(TEXT_LABELS, 10**6),
    'strange classes': confusion(STRANGE),
    'images': lambda: figures.show_images(
        np.zeros((16, 28, 28)), (TEXT_LABELS * 2)[:16]
    ),
    'images with strange labels': lambda: figures.show_images(
        np.zeros((9, 28, 28)), STRANGE
    ),
    'feature maps': lambda: figures.feature_maps(
        [np.ones((1, 224, 224)), np.ones((512, 112, 112))]
    ),
}
for n in (2, 8, 20):
    CASES[f'{n} runs'] = curves(runs(n))
    CASES[f'{n} runs, band'] = curves(runs(n), 'mxnet', note=NOTE)
for n in (1, 5, 24):
    CASES[f'{n} mistakes'] = mistakes(n)


@pytest.mark.filterwarnings('error')
def test_every_text_has_room_in_the_file_of_each_picture(tmp_path):
    path = tmp_path / 'picture.svg'
    for case, draw in CASES.items():
        print(case)  # Pytest shows the last one if it fails
        assert_texts_have_room(places_of_texts(draw(), path))
        ElementTree.parse(path)
