"""A training that is cut short begins as the whole one, and says so.

Trained is a linear classifier in NumPy, so only the loop is tried.
"""

import pytest
from numpy_data import FashionMNIST
from numpy_trainer import Softmax, Trainer

VARIABLE = 'D2L_VGG_TRIAL'


@pytest.fixture(scope='module')
def data():
    return FashionMNIST(8, num_train=80, num_val=32)


def fit(data, **options):
    trainer = Trainer(**{'max_epochs': 5, 'display': 'none', **options})
    trainer.fit(Softmax(), data)
    return trainer


def test_it_takes_only_so_many_minibatches(data, monkeypatch):
    monkeypatch.setenv(VARIABLE, '2')
    trainer = fit(data)
    assert trainer.train_batch_idx == 2
    assert trainer.val_batch_idx == 2
    assert trainer.epoch == 1


def test_it_begins_as_the_whole_training(data, monkeypatch):
    """With the same minibatches in the same order, and so it repeats."""
    seen = []
    for size in '0', '2', '2':
        monkeypatch.setenv(VARIABLE, size)
        seen.append(fit(data, max_epochs=1, seed=3).seen)
    assert len(seen[0]) == 80 and len(seen[1]) == 16
    assert seen[1] == seen[2] == seen[0][:16]


def test_it_says_so_where_it_is_shown(data, monkeypatch, capsys):
    monkeypatch.setenv(VARIABLE, '2')
    for display in 'board', 'lines':
        trainer = fit(data, seed=0, display=display)
        assert 'SMOKE TEST: cut short to 2' in capsys.readouterr().out
        assert 'SMOKE TEST: cut short to 2' in trainer.board.note
    monkeypatch.setenv(VARIABLE, 'two')
    with pytest.raises(ValueError, match="D2L_VGG_TRIAL is 'two'"):
        Trainer(max_epochs=1)
