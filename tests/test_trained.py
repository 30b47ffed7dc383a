"""A trained network comes with the package: it predicts and is trained on."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from frameworks import PARAMS
from PIL import Image

from d2l_vgg.training.runs import TRAINED, Run

RECORD = Path(__file__).parents[1] / 'chapter' / 'results' / 'quick'


@pytest.fixture(params=PARAMS)
def d2l_vgg(request):
    return request.param.package


def test_it_is_the_recorded_run():
    folders = Path(TRAINED, 'quick'), RECORD
    ours, theirs = ((f / 'history.csv').read_text() for f in folders)
    assert ours == theirs
    ours, theirs = (json.loads((f / 'run.json').read_text()) for f in folders)
    assert len(ours.pop('parameters')) == 64 and ours == theirs
    assert os.path.getsize(Run.find('quick').find_parameters()) < 600000


def test_it_predicts_as_its_record_says(d2l_vgg):
    data = d2l_vgg.FashionMNIST(128)
    model = d2l_vgg.VGG.trained('quick')
    labels, scores = model.predict(data.val_dataloader())
    accuracy = np.mean(labels == scores.argmax(1))
    batches = np.split(labels == scores.argmax(1), range(128, 10000, 128))
    recorded = Run.find('quick').info['results']['val_acc']
    assert np.mean([b.mean() for b in batches]) == pytest.approx(
        recorded, abs=2e-4
    )
    assert accuracy == pytest.approx(recorded, abs=2e-3)


def test_a_readers_own_pictures(d2l_vgg, tmp_path):
    """Images of the test set, large, coloured and on white."""
    data = d2l_vgg.FashionMNIST(128)
    images, labels = data.val[0][:60], data.val[1][:60]
    paths = []
    for i, image in enumerate(images):
        large = np.pad(np.kron(255 - image, np.ones((9, 9))), 50, 'constant')
        large[large == 0] = 255
        blue = np.stack([0.9 * large, 0.95 * large, large], -1)
        blue = np.where(large[..., None] == 255, 255, blue)
        paths.append(tmp_path / f'{i}.png')
        Image.fromarray(blue.astype('uint8')).save(paths[-1])
    model = d2l_vgg.VGG.trained()
    _, scores = model.predict(d2l_vgg.FashionMNIST.pictures(paths))
    assert scores.shape == (60, 10)
    np.testing.assert_allclose(scores.sum(1), 1, rtol=1e-4)
    assert np.mean(scores.argmax(1) == labels) > 0.75
    with pytest.raises(ValueError, match='no picture'):
        d2l_vgg.FashionMNIST.pictures([])


def five_classes(d2l_vgg, num_train=2000):
    data = d2l_vgg.FashionMNIST(64)
    for name, num in ('train', num_train), ('val', 1000):
        images, labels = getattr(data, name)
        chosen = np.flatnonzero(labels >= 5)[:num]
        setattr(data, name, (images[chosen], labels[chosen] - 5))
    return data


def test_fine_tuning_to_five_classes(d2l_vgg):
    data = five_classes(d2l_vgg)
    model = d2l_vgg.VGG.trained('quick', num_classes=5, lr=0.02)
    model.freeze()
    trainer = d2l_vgg.Trainer(
        max_epochs=1, momentum=0.9, seed=0, display='none'
    )
    history = trainer.fit(model, data)
    assert history.final['val_acc'] > 0.9
    before = d2l_vgg.VGG.trained('quick').arrays()
    after = model.arrays()
    assert after['dense2.weight'].shape == (5, 128)
    for name, array in after.items():
        if not name.startswith('dense2'):
            np.testing.assert_array_equal(array, before[name], name)
    assert not np.array_equal(after['dense2.bias'], np.zeros(5))


def test_what_cannot_be_loaded(d2l_vgg, tmp_path):
    with pytest.raises(FileNotFoundError, match='No run in fast'):
        d2l_vgg.VGG.trained('fast')
    path = Run.find('quick').find_parameters()
    other = d2l_vgg.VGG(((1, 16), (1, 32)), num_classes=5)
    with pytest.raises(ValueError, match='of another network'):
        other.load(path, last=False)
    # Except for the last layer it has to fit, too
    with pytest.raises(ValueError, match='of another network: dense2'):
        d2l_vgg.VGG(Run.find('quick').experiment.arch, num_classes=5).load(
            path
        )
