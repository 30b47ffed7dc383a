"""A run is continued as what it was, or not; a finished one is begun with."""

import importlib.util
import os
import pathlib
import shutil
import warnings

import numpy as np
import pytest
from command_line import (
    TINY,
    assert_fails,
    assert_same_run,
    call,
    change_record,
    done,
    stop_at,
)
from safetensors.numpy import load_file

from d2l_vgg import frameworks, machine
from d2l_vgg.datasets import fashion_mnist
from d2l_vgg.training.runs import TRAINED, Run

pytest.importorskip('mxnet')
needs_torch = pytest.mark.skipif(
    importlib.util.find_spec('torch') is None, reason='no torch'
)


def train_and_stop(folder, *options):
    """Train a run until Ctrl-C in its first epoch; return its folder."""
    where = ['--runs', folder, '--name', 'a', '--checkpoint-seconds', '0']
    with pytest.MonkeyPatch.context() as patch:
        stop_at(patch, frameworks.load('mxnet'), step=15)
        result = call('train', *TINY, *where, *options)
    assert result.returncode == 130 and result.stderr == ''
    made = folder / 'a'
    assert f'd2l-vgg train --resume {os.path.relpath(made)}' in result.stdout
    assert Run.open(made).info['status'] == 'stopped'
    return made


@pytest.fixture(scope='module')
def stopped(tmp_path_factory):
    """A run that was stopped in its first epoch."""
    return train_and_stop(tmp_path_factory.mktemp('stopped'))


@pytest.fixture
def copy(stopped, tmp_path):
    return pathlib.Path(shutil.copytree(str(stopped), str(tmp_path / 'a')))


def change(folder, *keys, value):
    """Change what `run.json` tells, as a flipped bit could."""

    def flip(info):
        for key in keys[:-1]:
            info = info[key]
        assert info[keys[-1]] != value
        info[keys[-1]] = value

    change_record(folder, flip)


def test_stopped_run_ends_as_one_that_never_was(copy, finished):
    done('train', '--resume', copy)
    assert_same_run(copy, finished.folder)
    for option in 'lr=0.5', 'name=a', 'framework=jax', 'runs=b':
        result = call('train', '--resume', copy, f'--{option}')
        assert_fails(result, f'--{option.split("=")[0]} is for a new run')
    assert_fails(call('train', '--resume', copy), 'is finished')


@pytest.mark.parametrize(
    'keys, value, words',
    [
        (['hyperparameters', 'lr'], 0.2, 'is of a run with lr='),
        (['hyperparameters', 'flip'], True, 'is of a run with flip='),
        (['hyperparameters', 'arch', 'hidden'], [17], 'a run with hidden='),
        (['hyperparameters', 'arch', 'dropout'], 0.3, 'a run with dropout='),
        (['hyperparameters', 'arch', 'lrn'], True, 'a run with lrn=False'),
        (['hyperparameters', 'arch', 'batch_norm'], True, 'batch_norm=False'),
        (['hyperparameters', 'draw'], 'published', 'a run with draw=seed'),
        (['continued_from'], 'a', 'a run with continued_from=None'),
        pytest.param(
            *(['framework'], 'torch', 'a run with framework=mxnet'),
            marks=needs_torch,
        ),
        (['data', 'num_train'], 96, 'other images'),
    ],
)
def test_run_whose_record_was_changed_is_refused(copy, keys, value, words):
    before = (copy / 'checkpoint.safetensors').read_bytes()
    change(copy, *keys, value=value)
    result = call('train', '--resume', copy)
    assert_fails(result, words)
    assert result.stderr.count('\n') == 1
    assert 'continue with' not in result.stdout
    assert (copy / 'checkpoint.safetensors').read_bytes() == before


def test_run_whose_checkpoint_is_gone_begins_again_or_is_refused(
    copy, finished
):
    os.remove(copy / 'checkpoint.safetensors')
    # It has recorded something
    assert_fails(call('train', '--resume', copy), 'is gone')
    change_record(copy, lambda info: info.pop('results'))
    assert 'it starts again' in done('train', '--resume', copy)
    assert_same_run(copy, finished.folder)


@pytest.mark.parametrize(
    'began, processes, kept',
    # Each of two processes had its share of the cores
    [('2', 1, '2'), ('3', 1, None), ('0', 1, None), ('2', 2, None)],
)
def test_run_is_resumed_with_the_threads_it_began_with(
    copy, monkeypatch, began, processes, kept
):
    change(copy, 'machine', 'threads', value=began)
    change(copy, 'devices', value=['cpu'] * processes)
    monkeypatch.setattr(machine, 'physical_cores', lambda: 2)
    monkeypatch.delenv('OMP_NUM_THREADS')
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # Of other threads
        done('train', '--resume', copy)
    assert os.environ.get('OMP_NUM_THREADS') == kept


def test_run_is_resumed_from_another_folder(tmp_path, monkeypatch):
    """Its data were named by where it began."""
    home, other = tmp_path / 'home', tmp_path / 'other'
    home.mkdir()
    other.mkdir()
    (home / 'images').symlink_to(fashion_mnist.FOLDER)
    monkeypatch.chdir(home)
    folder = train_and_stop(home, '--data', 'images')
    assert Run.open(folder).info['data']['root'] == str(home / 'images')
    monkeypatch.chdir(other)
    assert 'Resuming' in done('train', '--resume', '../home/a')


NEW = [
    'train',
    *('--num-train', '640', '--num-val', '100'),
    *('--max-epochs', '1', '--display', 'none'),
]


def test_new_run_begins_with_the_parameters_of_a_finished_one(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    # So small a step that the parameters stay nearly where they are
    small = ['--lr', '1e-9', '--weight-decay', '0']
    done(*NEW, *small, '--continue-from', 'quick')
    new = Run.open('runs/quick')
    assert new.info['experiment'] == 'custom'
    assert new.info['continued_from'].startswith(TRAINED)
    experiment, before = new.experiment, Run.find('quick').experiment
    assert experiment.arch.blocks == before.arch.blocks
    assert (experiment.momentum, experiment.max_epochs) == (0.9, 1)
    assert experiment.seed != before.seed
    ours = load_file(new.find_parameters())
    theirs = load_file(Run.find('quick').find_parameters())
    for name in theirs:
        if name.endswith(('weight', 'bias')):
            np.testing.assert_allclose(ours[name], theirs[name], atol=1e-6)

    done(*NEW, '--continue-from', 'runs/quick', '--name', 'b')
    assert Run.open('runs/b').info['results']['val_acc'] > 0.2


@pytest.mark.parametrize(
    'options, words',
    [
        (['--arch', 'vgg11', '--resize', '32'], 'of another network'),
        (['--continue-from', 'none'], 'No run in none'),
        (['--draw', 'seed'], '--draw is for a network that is drawn'),
    ],
)
def test_what_new_run_cannot_begin_with_is_refused(
    options, words, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    result = call(*NEW, '--continue-from', 'quick', *options)
    assert_fails(result, words)
    assert os.listdir(tmp_path) == []


@needs_torch
def test_new_run_has_framework_and_images_of_the_finished_one(tmp_path):
    before, images = tmp_path / 'quick', tmp_path / 'images'
    shutil.copytree(os.path.join(TRAINED, 'quick'), before)
    images.symlink_to(fashion_mnist.FOLDER)
    data = {'root': str(images), 'num_train': 640, 'num_val': 100}
    change_record(before, lambda info: info['data'].update(data))
    change(before, 'framework', value='torch')
    where = ['--runs', tmp_path, '--name', 'b', '--continue-from', before]
    printed = done('train', *where, '--max-epochs', '1')
    assert f'as the run in {before} ended' in printed
    info = Run.open(tmp_path / 'b').info
    assert info['framework'] == 'torch'
    assert {name: info['data'][name] for name in data} == data


def test_changed_parameters_of_a_run_are_refused(tmp_path):
    folder = shutil.copytree(
        os.path.join(TRAINED, 'quick'), str(tmp_path / 'quick')
    )
    change(folder, 'parameters', value='0' * 64)
    for words in ['predict', folder], [*NEW, '--continue-from', folder]:
        assert_fails(call(*words), 'are not those that the run')
