"""`d2l-vgg train`: what it makes, tells and refuses."""

import gc
import io
import json
import os
import re
import subprocess
import sys

import pytest
from command_line import TINY, assert_fails, call, done, run
from frameworks import needs_bfloat16

from d2l_vgg import cli, machine
from d2l_vgg.commands import making
from d2l_vgg.commands.making import estimate_seconds
from d2l_vgg.training import precisions
from d2l_vgg.training.runs import Run

mxnet = pytest.importorskip('mxnet')

TINIEST = [*TINY, '--num-train', '64', '--max-epochs', '1']


def test_estimate_is_left_out_where_memory_is_short(monkeypatch, tmp_path):
    monkeypatch.setattr(making, 'estimate_seconds', estimate_seconds)
    monkeypatch.setattr(machine, 'available_memory', lambda: 2**30)
    printed = done('train', *TINIEST, '--num-val', '1', '--runs', tmp_path)
    assert 'full experiment takes' not in printed
    assert 'on 64 images of 28 x 28 pixels for 1 epoch in' in printed
    assert 'on the 1 validation image of Fashion-MNIST' in printed
    assert printed.splitlines()[-1].startswith('Validation accuracy')


def test_finished_run_leaves_its_record_and_nothing_else(finished):
    folder = finished.folder
    assert sorted(os.listdir(folder)) == [
        'curves.png',
        'curves.svg',
        'history.csv',
        'parameters.safetensors',
        'run.json',
    ]
    info = json.loads((folder / 'run.json').read_text())
    assert info['status'] == 'finished'
    values = info['hyperparameters']
    assert values['batch_size'] == 32 and values['max_epochs'] == 2
    assert values['seed'] == 0 and values['arch']['hidden'] == [16]
    # Begun as `quick`, but with another network and fewer images
    assert info['experiment'] == 'custom'
    assert info['versions']['mxnet'] == mxnet.__version__
    assert info['machine']['cores'] >= 1
    assert info['data']['source'] == 'Fashion-MNIST'
    assert info['data']['classes'][9] == 'ankle boot'
    assert re.fullmatch('[0-9a-f]{64}', info['data']['digest'])
    assert info['seconds'] > 0
    history = Run.open(folder).history()
    assert len(history.points['val_acc']) == 2
    assert info['results'] == history.final
    assert re.fullmatch('[0-9a-f]{64}', info['history'])


def test_book_with_changes_is_not_held_against_the_book(tmp_path):
    where = ['--runs', tmp_path, '--name', 'other']
    # In a process of its own: the published draw takes a whole VGG-11
    result = run('train', '--experiment', 'book', *TINIEST, *where)
    assert result.returncode == 0, result.stderr
    printed = result.stdout
    assert Run.open(tmp_path / 'other').info['experiment'] == 'custom'
    assert 'sample standard deviations' not in printed
    assert 'published' not in printed
    assert "book's 11" not in (tmp_path / 'other' / 'curves.svg').read_text()


@needs_bfloat16
def test_run_in_bfloat16_predicts_where_that_is_missing(
    tmp_path, monkeypatch
):
    where = ['--runs', tmp_path, '--name', 'rounded']
    done('train', *TINIEST, *where, '--precision', 'bfloat16')
    folder = tmp_path / 'rounded'
    assert Run.open(folder).experiment.precision == 'bfloat16'
    assert 'Computing in' not in done('predict', folder)
    monkeypatch.setattr(precisions, 'has_bfloat16', lambda: False)
    assert 'Computing in float32' in done('predict', folder)


def test_without_bfloat16_best_experiment_computes_in_float32(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(precisions, 'has_bfloat16', lambda: False)
    where = ['--runs', tmp_path, '--name', 'best']
    options = ['train', '--experiment', 'best', *TINIEST, *where]
    assert 'Computing in float32' in done(*options)
    assert Run.open(tmp_path / 'best').experiment.precision == 'float32'
    # What the user asks for is done or refused
    result = call(*options, '--precision', 'bfloat16')
    assert_fails(result, 'avx512_bf16')
    assert os.listdir(tmp_path) == ['best']


def test_diverged_run_keeps_what_was_recorded(tmp_path):
    where = ['--runs', tmp_path, '--name', 'wild']
    result = call('train', *TINY, *where, '--lr', '1e30')
    assert_fails(result, 'lower the learning rate', 'lr=1e+30')
    saved = Run.open(tmp_path / 'wild')
    assert saved.info['status'] == 'diverged'
    assert saved.history().points['train_loss']


BAD_REQUESTS = [
    ('--arch lenet --hidden 9', 'lenet is not built of VGG blocks'),
    ('--batch-size 641', 'batch_size is 641.*only 640.*choose a smaller'),
    ('--num-gpus 8', 'num_gpus is 8.*one device.*for 0 to train on the CPU'),
    ('--resize 2', '2 x 2 is too small.*smallest that fits is 4 x 4'),
    (
        '--arch ((1,4),(1,1000000))',
        'takes about.*of memory, but there are.*choose a smaller',
    ),
    (
        '--runs /proc/nowhere',
        '/proc/nowhere/quick for the run cannot be made.*with --runs',
    ),
    *((f'--name={name}', 'name') for name in ('..', '../b', '/b', '\x1b[2J')),
]


@pytest.mark.parametrize('options, words', BAD_REQUESTS)
def test_bad_request_is_one_line_and_leaves_nothing(
    options, words, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    result = call('train', *TINY, *options.split())
    assert_fails(result)
    assert re.search(words, result.stderr)
    assert result.stderr.count('\n') == 1 and result.stderr[:-1].isprintable()
    assert os.listdir(tmp_path) == []


def test_name_that_the_terminal_cannot_print_is_escaped(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    ascii_only = io.TextIOWrapper(io.BytesIO(), encoding='ascii')
    monkeypatch.setattr(sys, 'stdout', ascii_only)
    assert cli.main(['train', *TINIEST, '--name', 'Größe']) == 0
    printed = ascii_only.buffer.getvalue().decode('ascii')
    assert r'runs/Gr\xf6\xdfe' in printed
    folder = tmp_path / 'runs' / 'Größe'
    assert Run.open(folder).info['status'] == 'finished'


def test_run_with_closed_stderr_is_trained(tmp_path):
    words = ' '.join(map(repr, ['train', *TINIEST, '--runs', str(tmp_path)]))
    # Without --display, which then asks whether there is a terminal
    words = words.replace("'--display' 'lines'", '')
    line = f'{sys.executable} -m d2l_vgg.cli {words} 2>&-'
    printed = subprocess.check_output(['bash', '-c', line], text=True)
    assert 'Validation accuracy' in printed
    assert Run.open(tmp_path / 'quick').info['status'] == 'finished'


def test_home_may_stand_in_any_path(finished, tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(finished.folder.parent))
    monkeypatch.chdir(tmp_path)
    done('curves', '~/whole', '--output', 'picture')
    result = call('train', '--resume', '~/whole')
    assert_fails(result, f'{finished.folder} is finished')
    result = call('curves', '~nobody-of-that-name/a')
    assert result.returncode == 2 and 'not known' in result.stderr
    assert sorted(os.listdir()) == ['picture.png', 'picture.svg']


def test_mxnet_that_is_not_installed_is_told_in_one_line(monkeypatch):
    for name in [n for n in sys.modules if n.startswith('d2l_vgg.mxnet')]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, 'mxnet', None)
    result = call('train', *TINY)
    assert_fails(result, 'MXNet is not installed', 'MXNET=cu117')
    assert gc.isenabled()  # While a framework is imported it is not


def test_variable_for_the_builder_does_not_shorten_a_training(
    tmp_path, monkeypatch
):
    monkeypatch.setenv('D2L_VGG_TRIAL', '1')
    assert 'SMOKE TEST' not in done('train', *TINIEST, '--runs', tmp_path)
