"""A checkpoint continues the run that it is of, and no other."""

import copy
import json
import math

import numpy as np
import pytest

from d2l_vgg.training import arrays as files
from d2l_vgg.training import checkpoint
from d2l_vgg.training.history import History

ARRAYS = {
    'conv1_1.weight': np.arange(24, dtype='float32').reshape(2, 3, 4),
    'optimizer/conv1_1.weight.momentum': np.ones((2, 3, 4), 'float32'),
}
SETTINGS = {
    'seed': 3,
    'max_epochs': 2,
    'num_train_batches': 10,
    'num_val_batches': 2,
    'resize': (28, 28),
    'digest': 'abc',
}
TOLD = {**SETTINGS, 'resize': [28, 28]}
HISTORY = {
    **History(10, 2).state(),
    # A value of each of the 13 minibatches, and of the 2 of the validation
    'points': {'train_loss': [[0.2, 2.0], [0.7, 1.5]], 'val_acc': [[1, 0.5]]},
    'sums': {'train_loss': [3, 3.3, 4.0]},
}
META = {
    'settings': TOLD,
    'threads': '2',
    'epoch': 1,
    'train_batch_idx': 13,
    'history': HISTORY,
    'seconds': 4.5,
}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / 'checkpoint.safetensors'
    files.save(path, ARRAYS, META)
    return path


def test_it_comes_back_exactly(path):
    arrays, meta = checkpoint.load(path)
    assert meta == META
    checkpoint.check_meta(path, meta, SETTINGS)
    checkpoint.check_arrays(path, arrays, ARRAYS)
    assert checkpoint.load_seed(path) == 3


@pytest.mark.parametrize(
    'change',
    [
        lambda a: a.pop('conv1_1.weight'),
        lambda a: a.update(more=np.zeros(3)),
        lambda a: a.update({'conv1_1.weight': np.zeros((2, 3, 5), 'f4')}),
        lambda a: a.update({'conv1_1.weight': np.zeros((2, 3, 4), 'f8')}),
        lambda a: a.pop('optimizer/conv1_1.weight.momentum'),
    ],
    ids=['missing', 'more', 'shape', 'type', 'optimizer'],
)
def test_other_arrays_are_refused(path, change):
    arrays = dict(ARRAYS)
    change(arrays)
    for found, wanted in (arrays, ARRAYS), (ARRAYS, arrays):
        with pytest.raises(checkpoint.BadCheckpoint, match='architecture'):
            checkpoint.check_arrays(path, found, wanted)


@pytest.mark.parametrize(
    'name, value',
    [
        ('conv1_1.weight', math.nan),
        ('bn1_1.running_var', -1),
        ('optimizer/conv1_1.weight.momentum', math.inf),
        ('conv1_1.weight', -math.inf),
    ],
)
def test_numbers_that_no_training_has_are_refused(path, name, value):
    wrong = {**ARRAYS, name: np.array([1, value], 'float32')}
    with pytest.raises(checkpoint.BadCheckpoint, match=f'{name} holds'):
        checkpoint.check_arrays(path, wrong, wrong)


@pytest.mark.parametrize('name', SETTINGS)
def test_another_run_is_refused_by_name(path, name):
    other = {**SETTINGS, name: 99}
    named = 'other images' if name == 'digest' else f'{name}=.*, not 99'
    with pytest.raises(checkpoint.BadCheckpoint, match=named):
        checkpoint.check_meta(path, META, other)


@pytest.mark.parametrize(
    'name, value',
    [
        ('epoch', -1),
        ('epoch', 3),
        ('epoch', 'one'),
        ('epoch', 1.5),
        ('train_batch_idx', 10.5),
        ('train_batch_idx', 9),
        ('train_batch_idx', 12),
        ('train_batch_idx', 21),
        ('train_batch_idx', None),
        ('seconds', math.inf),
        ('seconds', -1),
        ('history', {}),
        ('history', None),
        ('history', {**HISTORY, 'points': [1]}),
        ('history', {**HISTORY, 'plot_train_per_epoch': 0}),
        ('history', {**HISTORY, 'num_train_batches': 2}),
        *(
            ('history', {**HISTORY, 'points': {**HISTORY['points'], **more}})
            for more in (
                {'train_loss': 2 * HISTORY['points']['train_loss']},
                {'val_acc': 2 * HISTORY['points']['val_acc']},
            )
        ),
        ('history', {**HISTORY, 'sums': {'train_loss': (0.5, 1, 1)}}),
        ('settings', {}),
        ('settings', None),
        *(
            ('settings', {n: v for n, v in TOLD.items() if n != name})
            for name in SETTINGS
        ),
    ],
)
def test_what_makes_no_sense_is_refused(path, name, value):
    meta = {**copy.deepcopy(META), name: value}
    with pytest.raises(checkpoint.BadCheckpoint, match='start a new run'):
        checkpoint.check_meta(path, meta, SETTINGS)


@pytest.mark.parametrize(
    'meta',
    [
        [],
        {},
        {'history': None},
        {'history': {**HISTORY, 'points': {'val_acc': [['a', 1]]}}},
        {'history': {**HISTORY, 'points': {'val_acc': [[1]]}}},
    ],
    ids=repr,
)
def test_a_history_that_is_none(path, meta):
    found = checkpoint.load_history(path).state()
    assert json.loads(json.dumps(found)) == HISTORY
    files.save(path, ARRAYS, meta)
    with pytest.raises(checkpoint.BadCheckpoint, match='start a new run'):
        checkpoint.load_history(path)


def test_damage(path):
    path.write_bytes(path.read_bytes()[:-50])
    for load in checkpoint.load, checkpoint.load_seed:
        with pytest.raises(checkpoint.BadCheckpoint, match='damaged'):
            load(path)


def test_what_is_not_there_or_not_to_be_read(path, tmp_path):
    for load in checkpoint.load, checkpoint.load_seed:
        with pytest.raises(FileNotFoundError, match='nothing to resume'):
            load(tmp_path / 'none.safetensors')
        with pytest.raises(IsADirectoryError):
            load(tmp_path)
