"""`d2l-vgg predict` beside what the run recorded."""

import json

import pytest

from d2l_vgg import cli

pytest.importorskip('mxnet')

# 100 images are three whole minibatches of 32 and one of 4
TINY = (
    'train --arch ((1,4),) --hidden 8 --resize 28 '
    '--batch-size 32 --num-train 320 --num-val 100 --max-epochs 1 '
    '--display none'
).split()


@pytest.fixture
def folder(tmp_path):
    where = ['--runs', str(tmp_path), '--name', 'run']
    assert cli.main([*TINY, *where]) == 0
    return tmp_path / 'run'


def predict(folder, capsys):
    capsys.readouterr()
    assert cli.main(['predict', str(folder)]) == 0
    return capsys.readouterr().out


def test_two_accuracies_of_a_run_are_told_apart(folder, capsys):
    path = folder / 'run.json'
    info = json.loads(path.read_text())
    text = predict(folder, capsys)
    accuracy = text.split()[1]
    recorded = info['results']['val_acc']
    explanation = (
        f"the {recorded:.4f} in the run's curves is, as in the book, the "
        'mean over minibatches'
    )
    assert (explanation in text) == (f'{recorded:.4f}' != accuracy)
    info['results']['val_acc'] = recorded = float(accuracy) + 0.0001
    path.write_text(json.dumps(info))
    assert f'the {recorded:.4f} in the run' in predict(folder, capsys)
    info['results']['val_acc'] = float(accuracy)
    path.write_text(json.dumps(info))
    assert 'mean over minibatches' not in predict(folder, capsys)
