"""`--data FOLDER`: another set of four files in place of Fashion-MNIST."""

import json
import os
import shutil

import few_images
import pytest
from command_line import TINY

from d2l_vgg.cli import main
from d2l_vgg.training.runs import TRAINED, Run

pytest.importorskip('mxnet')

NAMES = ['zero', 'eins', 'zwei']


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
    """A run on images of 20 x 12 pixels in three classes, and its folder."""
    folder = tmp_path_factory.mktemp('other')
    arrays = few_images.noise(640, 100, (20, 12), num_classes=3)
    data = few_images.write(folder / 'set', arrays, NAMES)
    where = ['--data', data, '--runs', str(folder), '--name', 'run']
    assert main(['train', *TINY, *where]) == 0
    return folder


def test_run_on_another_set_records_its_classes_and_folder(finished):
    found = Run.open(str(finished / 'run'))
    told = found.info['data']
    assert told['classes'] == NAMES
    assert told['root'] == told['source'] == str(finished / 'set')
    # Not the experiment of that name, which is on Fashion-MNIST
    assert found.info['experiment'] == 'custom'


def test_last_line_tells_accuracy_and_images(finished, capsys):
    where = ['--data', str(finished / 'set'), '--runs', str(finished)]
    assert main(['train', *TINY, *where, '--name', 'other']) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    accuracy = Run.open(str(finished / 'other')).info['results']['val_acc']
    assert last.startswith(
        f'Validation accuracy {accuracy:.4f} on the 100 validation images of '
        f'{finished / "set"} after'
    )


def test_predict_tells_names_of_the_set(finished, capsys):
    assert main(['predict', str(finished / 'run')]) == 0
    out = capsys.readouterr().out
    assert 'on 100 images' in out and 'sneaker' not in out
    for name in NAMES:
        assert name in out


def test_predict_of_picture_tells_names_of_the_set(finished, capsys):
    from PIL import Image

    path = str(finished / 'picture.png')
    Image.new('L', (40, 40), 200).save(path)
    assert main(['predict', str(finished / 'run'), path]) == 0
    guesses = [line.split()[0] for line in
               capsys.readouterr().out.splitlines()[1:4]]  # fmt: skip
    assert sorted(guesses) == sorted(NAMES)


def test_predict_refuses_images_of_another_number_of_classes(
    finished, capsys
):
    assert main(['predict', 'quick', '--data', str(finished / 'set')]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert 'tells 10 classes apart' in line and 'has 3:' in line


def test_run_without_checkpoint_is_not_continued_on_other_images(
    finished, tmp_path, capsys
):
    folder = tmp_path / 'run'
    shutil.copytree(str(finished / 'run'), str(folder))
    path = folder / 'run.json'
    info = {**json.loads(path.read_text()), 'status': 'stopped'}
    del info['results']
    path.write_text(json.dumps(info))
    other = few_images.write(
        tmp_path / 'set', few_images.noise(640, 100, (20, 13), 3)
    )
    assert main(['train', '--resume', str(folder), '--data', other]) == 1
    error = capsys.readouterr().err
    assert 'began with other images' in error and '--data' in error
    assert main(['train', '--resume', str(folder)]) == 0


@pytest.mark.parametrize(
    'old, words',
    [
        ({'stand_in': True}, 'images drawn by code'),
        ({'stand_in': False, 'division': 0}, 'another division'),
    ],
)
def test_run_of_an_earlier_version_on_other_images_is_refused(
    old, words, tmp_path, capsys
):
    folder = str(tmp_path / 'old')
    shutil.copytree(os.path.join(TRAINED, 'quick'), folder)
    path = os.path.join(folder, 'run.json')
    with open(path) as file:
        info = json.load(file)
    info['data'].update(old)
    with open(path, 'w') as file:
        json.dump(info, file)
    for words_of_command in (
        ['predict', folder],
        ['curves', folder],
        ['train', '--resume', folder],
        ['train', '--continue-from', folder],
    ):
        assert main(words_of_command) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert words in line and 'start a new run' in line


def test_missing_folder_is_one_sentence(tmp_path, capsys):
    words = ['--data', str(tmp_path / 'none')]
    assert main(['train', *words, '--runs', str(tmp_path / 'runs')]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f'There is no folder {tmp_path / "none"}' in line
    assert os.listdir(tmp_path) == []
