"""`d2l-vgg predict RUN IMAGE...`: a reader's own pictures."""

import os
import shutil

import numpy as np
import pytest
from PIL import Image

from d2l_vgg.cli import main
from d2l_vgg.datasets import fashion_mnist
from d2l_vgg.training.runs import TRAINED

pytest.importorskip('mxnet')


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """Five large images of the test set on white, and what they show."""
    monkeypatch.chdir(tmp_path)
    data = fashion_mnist.load()
    for i in range(5):
        large = np.kron(255 - data.val_images[i], np.ones((9, 9), 'uint8'))
        large = np.pad(large, 40, constant_values=255)
        Image.fromarray(large).save(f'{i}.png')
    labels = [data.classes[i] for i in data.val_labels[:5]]
    return [f'{i}.png' for i in range(5)], labels


def test_what_is_printed_and_drawn(pictures, capsys):
    paths, labels = pictures
    assert main(['predict', 'quick', *paths]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == 'Picture: pictures.png'
    right = 0
    for i, (path, label) in enumerate(zip(paths, labels)):
        told, *guesses = lines[4 * i : 4 * i + 4]
        assert told.startswith(f'{path}: 332 x 332 pixels, light and dark ')
        shares = [float(guess.split()[-1]) for guess in guesses]
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) == pytest.approx(1, abs=0.05)
        right += guesses[0].startswith(label)
    assert right >= 4
    with Image.open('pictures.png') as drawn:
        assert drawn.size[0] > 300
    assert os.path.exists('pictures.svg')
    assert not os.path.exists(os.path.join(TRAINED, 'quick', 'pictures.png'))


def test_where_the_pictures_go(pictures, capsys):
    paths, _ = pictures
    shutil.copytree(os.path.join(TRAINED, 'quick'), 'own')
    assert main(['predict', 'own', paths[0]]) == 0
    assert 'Picture: own/pictures.png' in capsys.readouterr().out
    assert os.path.exists('own/pictures.png')
    assert main(['predict', 'own', paths[0], '--output', 'new/place']) == 0
    assert os.path.exists('new/place/pictures.svg')


def test_what_is_no_picture_is_told_before_anything_is_made(pictures, capsys):
    paths, _ = pictures
    with open('text.jpg', 'w') as file:
        file.write('once upon a time')
    before = sorted(os.listdir('.'))
    for bad, words in (
        ('text.jpg', 'text.jpg is no picture that can be read'),
        ('none.png', 'none.png cannot be used: No such file'),
        ('.', 'Is a directory'),
    ):
        assert main(['predict', 'quick', paths[0], bad]) == 1
        out, err = capsys.readouterr()
        assert words in err and len(err.splitlines()) == 1 and out == ''
    assert sorted(os.listdir('.')) == before
