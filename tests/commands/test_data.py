"""`--data FOLDER`: another set of four files in place of Fashion-MNIST."""

import shutil

import few_images
import numpy as np
import pytest
from command_line import TINY, assert_fails, call, change_record, done
from PIL import Image

from d2l_vgg.training.runs import Run

pytest.importorskip('mxnet')

NAMES = ['zero', 'eins', 'zwei']


@pytest.fixture(scope='module')
def other(tmp_path_factory):
    """A run on images of 20 x 12 pixels in three classes, and its folder."""
    folder = tmp_path_factory.mktemp('other')
    arrays = few_images.noise(640, 100, (20, 12), num_classes=3)
    data = few_images.write(folder / 'set', arrays, NAMES)
    where = ['--data', data, '--runs', folder, '--name', 'run']
    (folder / 'printed').write_text(done('train', *TINY, *where))
    return folder


def test_run_on_another_set_records_and_tells_it(other):
    found = Run.open(str(other / 'run'))
    told = found.info['data']
    assert told['classes'] == NAMES
    assert told['root'] == told['source'] == str(other / 'set')
    # Not the experiment of that name, which is on Fashion-MNIST
    assert found.info['experiment'] == 'custom'
    last = (other / 'printed').read_text().splitlines()[-1]
    accuracy = found.info['results']['val_acc']
    assert last.startswith(
        f'Validation accuracy {accuracy:.4f} on the 100 validation images of '
        f'{other / "set"} after'
    )


def test_predict_tells_names_of_the_set(other):
    printed = done('predict', other / 'run')
    assert 'on 100 images' in printed and 'sneaker' not in printed
    for name in NAMES:
        assert name in printed
    path = other / 'picture.png'
    Image.fromarray(np.eye(40, dtype='uint8') * 255).save(path)
    lines = done('predict', other / 'run', path).splitlines()
    assert sorted(line.split()[0] for line in lines[1:4]) == sorted(NAMES)


def test_run_without_checkpoint_is_not_continued_on_other_images(
    other, tmp_path
):
    folder = tmp_path / 'run'
    shutil.copytree(str(other / 'run'), str(folder))
    change_record(folder, lambda info: info.update(status='stopped'))
    change_record(folder, lambda info: info.pop('results'))
    images = few_images.write(
        tmp_path / 'set', few_images.noise(640, 100, (20, 13), 3)
    )
    result = call('train', '--resume', folder, '--data', images)
    assert_fails(result, 'began with other images', '--data')
    done('train', '--resume', folder)


def test_predict_refuses_images_of_another_number_of_classes(other):
    result = call('predict', 'quick', '--data', other / 'set')
    assert_fails(result, 'tells 10 classes apart', 'has 3:')
    assert result.stderr.count('\n') == 1
