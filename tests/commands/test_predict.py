"""`d2l-vgg predict`: of the validation set, and of a reader's pictures."""

import os
import re
import shutil

import numpy as np
import pytest
from command_line import assert_fails, call, change_record, done
from PIL import Image

from d2l_vgg import figures
from d2l_vgg.commands import predict
from d2l_vgg.datasets import fashion_mnist
from d2l_vgg.training.runs import TRAINED, Run

pytest.importorskip('mxnet')


def test_two_accuracies_of_a_run_are_told_apart(
    finished, tmp_path, monkeypatch
):
    """The last of its minibatches has 4 images instead of 32."""
    folder = tmp_path / 'run'
    shutil.copytree(str(finished.folder), str(folder))
    recorded = Run.open(folder).info['results']['val_acc']

    def predict(val_acc):
        results = {'val_acc': val_acc}
        change_record(folder, lambda info: info.update(results=results))
        return done('predict', folder)

    text = predict(0.98765)
    accuracy = float(re.match(r'Accuracy (0\.\d{4}) on 100', text).group(1))
    assert accuracy == pytest.approx(recorded, abs=0.05)
    assert (
        "the 0.9877 in the run's curves is, as in the book, the mean over "
        'minibatches'
    ) in text
    for name in 'confusion', 'mistakes':
        assert (folder / f'{name}.png').exists()
    monkeypatch.setattr(figures, 'save', lambda *args: None)
    assert 'mean over minibatches' not in predict(accuracy)


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """Five large images of the test set on white, and what they show."""
    monkeypatch.chdir(tmp_path)
    data = fashion_mnist.load()
    with open('._0.png', 'w') as file:
        file.write('a note of a Mac')
    for i in range(5):
        large = np.kron(255 - data.val_images[i], np.ones((9, 9), 'uint8'))
        large = np.pad(large, 40, constant_values=255)
        Image.fromarray(large).save(f'{i}.png')
    labels = [data.classes[i] for i in data.val_labels[:5]]
    return [f'{i}.png' for i in range(5)], labels


def test_picture_gets_three_guesses_and_is_drawn(pictures):
    paths, labels = pictures
    lines = done('predict', 'quick', *paths).splitlines()
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


def test_pictures_of_a_folder_are_each_decoded_once_and_drawn_to_the_run(
    pictures, monkeypatch
):
    shutil.copytree(os.path.join(TRAINED, 'quick'), 'own')
    os.rename('0.png', '0.PNG')
    for name in 'notes.txt', 'notes of a png':
        with open(name, 'w') as file:
            file.write('no picture')
    opened, whole = [], Image.open

    def count(file, **options):
        opened.append(file.name)
        return whole(file, **options)

    monkeypatch.setattr(Image, 'open', count)
    monkeypatch.setattr(predict, 'MOST_DRAWN', 2)
    told = done('predict', 'own', '.')
    names = ['./0.PNG', *(f'./{i}.png' for i in range(1, 5))]
    assert re.findall(r'^(.+): 332 x 332', told, re.M) == opened == names
    assert 'The first 2 of 5 pictures are drawn.' in told
    assert 'Picture: own/pictures.png' in told
    with open('own/pictures.svg') as file:
        assert file.read().count('<image') == 2


@pytest.mark.filterwarnings('always::UserWarning')
@pytest.mark.parametrize(
    'bad, words',
    [
        ('text.jpg', 'text.jpg is no picture that can be read (cannot id'),
        ('none.png', 'none.png cannot be used: No such file'),
        ('empty', 'empty is a folder: name a picture, or a folder of some'),
    ],
)
def test_what_is_no_picture_is_told_and_the_others_are_predicted(
    pictures, bad, words
):
    paths, _ = pictures
    with open('text.jpg', 'w') as file:
        file.write('once upon a time')
    os.mkdir('empty')
    before = sorted(os.listdir('.'))
    result = call('predict', 'quick', bad)
    assert_fails(result, words)
    assert result.stderr.count('\n') == 1 and result.stdout == ''
    assert sorted(os.listdir('.')) == before
    result = call('predict', 'quick', paths[0], bad, paths[1])
    assert_fails(result, words)
    assert f'{paths[0]}: ' in result.stdout
    assert f'{paths[1]}: ' in result.stdout
    assert os.path.exists('pictures.png')
