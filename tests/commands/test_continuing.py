"""A run is continued as what it was, or not; a finished one is begun with."""

import json
import os
import pathlib
import shutil
import signal

import numpy as np
import pytest
from command_line import TINY, run, start, wait_for

from d2l_vgg.cli import main
from d2l_vgg.training.runs import TRAINED, Run

pytest.importorskip('mxnet')


@pytest.fixture(scope='module')
def stopped(tmp_path_factory):
    """A run that was stopped in its first epoch."""
    folder = tmp_path_factory.mktemp('stopped')
    options = [*TINY, '--name', 'a', '--checkpoint-seconds', '0']
    process = start('train', *options, cwd=folder)
    made = folder / 'runs' / 'a'
    assert wait_for((made / 'checkpoint.npz').exists, process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert Run.open(made).info['status'] == 'stopped'
    return made


@pytest.fixture
def copy(stopped, tmp_path):
    return shutil.copytree(str(stopped), str(tmp_path / 'a'))


def change(folder, *keys, value):
    """Change what `run.json` tells, as a flipped bit could."""
    path = os.path.join(folder, 'run.json')
    with open(path) as file:
        info = json.load(file)
    inner = info
    for key in keys[:-1]:
        inner = inner[key]
    assert inner[keys[-1]] != value
    inner[keys[-1]] = value
    with open(path, 'w') as file:
        json.dump(info, file)


def refused(folder, capsys, *options):
    """Return why the run is not resumed; it can be afterwards, still."""
    checkpoint = pathlib.Path(folder, 'checkpoint.npz')
    before = checkpoint.read_bytes()
    assert main(['train', '--resume', folder, *options]) == 1
    assert checkpoint.read_bytes() == before
    line = capsys.readouterr().err.strip()
    assert '\n' not in line
    return line


@pytest.mark.parametrize(
    'name, value',
    [
        ('lr', 0.2),
        ('momentum', 0.8),
        ('weight_decay', 0.1),
        ('label_smoothing', 0.1),
        ('gradient_clip_val', 1.0),
        ('lr_schedule', 'cosine'),
        ('max_epochs', 3),
        ('batch_size', 16),
        ('resize', 32),
        ('flip', True),
        ('shift', 1),
        ('test_flip', True),
        ('seed', 5),
    ],
)
def test_a_changed_hyperparameter_is_named(copy, name, value, capsys):
    change(copy, 'hyperparameters', name, value=value)
    assert f'is of a run with {name}=' in refused(copy, capsys)


@pytest.mark.parametrize('key', ['num_train', 'num_val'])
def test_other_images_are_refused(copy, key, capsys):
    change(copy, 'data', key, value=96)
    assert 'other images' in refused(copy, capsys)


def test_another_network_is_refused(copy, capsys):
    change(copy, 'hyperparameters', 'arch', 'hidden', value=[17])
    assert 'of another architecture' in refused(copy, capsys)


def test_a_checkpoint_that_is_gone(copy, capsys):
    os.remove(os.path.join(copy, 'checkpoint.npz'))
    change(copy, 'status', value='running')
    if Run.open(copy).info.get('results'):
        assert main(['train', '--resume', copy]) == 1
        assert 'is gone' in capsys.readouterr().err
    else:
        assert main(['train', '--resume', copy]) == 0
        assert 'it begins anew' in capsys.readouterr().out


def test_another_number_of_threads_is_told_in_one_line(copy):
    resume = ['train', '--resume', copy, '--display', 'none']
    result = run(*resume, env={'OMP_NUM_THREADS': '7'})
    assert result.returncode == 0
    (line,) = result.stderr.splitlines()
    assert line.startswith('d2l-vgg: ') and 'goes on with 7' in line


NEW = [
    'train',
    *('--num-train', '640', '--num-val', '100'),
    *('--max-epochs', '1', '--display', 'none'),
]


def arrays_of(path):
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def test_a_new_run_begins_with_a_finished_one(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    # So small a step that the parameters stay nearly where they are
    small = ['--lr', '1e-9', '--weight-decay', '0']
    assert main([*NEW, *small, '--continue-from', 'quick']) == 0
    new = Run.open('runs/quick')
    assert new.info['experiment'] == 'custom'
    assert new.info['continued_from'].startswith(TRAINED)
    experiment, before = new.experiment, Run.find('quick').experiment
    assert experiment.arch.blocks == before.arch.blocks
    assert (experiment.momentum, experiment.max_epochs) == (0.9, 1)
    assert experiment.seed != before.seed
    ours = arrays_of(new.find_parameters())
    theirs = arrays_of(Run.find('quick').find_parameters())
    for name in theirs:
        if name.endswith(('weight', 'bias')):
            np.testing.assert_allclose(ours[name], theirs[name], atol=1e-6)
    capsys.readouterr()

    assert main([*NEW, '--continue-from', 'runs/quick', '--name', 'b']) == 0
    assert Run.open('runs/b').info['results']['val_acc'] > 0.2


@pytest.mark.parametrize(
    'options, words',
    [
        (['--arch', 'vgg11', '--resize', '32'], 'of another network'),
        (['--continue-from', 'none'], 'No run in none'),
        (['--continue-from', ''], 'Argument --continue-from: it is empty'),
    ],
)
def test_what_a_new_run_cannot_begin_with(
    options, words, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    try:
        status = main([*NEW, '--continue-from', 'quick', *options])
    except SystemExit as error:
        status = error.code
    assert status in (1, 2)
    assert words in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


def test_changed_parameters_of_a_run_are_refused(tmp_path, capsys):
    folder = shutil.copytree(
        os.path.join(TRAINED, 'quick'), str(tmp_path / 'quick')
    )
    change(folder, 'parameters', value='0' * 64)
    for words in ['predict', folder], [*NEW, '--continue-from', folder]:
        assert main(words) == 1
        assert 'are not those that the run' in capsys.readouterr().err
