"""The record of a run: what is damaged is told in one line."""

import copy
import json
import os

import pytest

from d2l_vgg.cli import main
from d2l_vgg.training.experiments import EXPERIMENTS
from d2l_vgg.training.history import History
from d2l_vgg.training.runs import Run

RESULTS = os.path.join(os.path.dirname(__file__), '../../chapter/results')


@pytest.fixture
def info():
    with open(os.path.join(RESULTS, 'quick', 'run.json')) as file:
        return json.load(file)


def assert_damaged(folder, capsys, *words):
    """Every command that opens the run says so in one line."""
    before = os.listdir(folder)
    for command in ['curves'], ['predict'], ['train', '--resume']:
        assert main([*command, str(folder)]) == 1
        out, err = capsys.readouterr()
        assert out == ''
        assert err.startswith(f'd2l-vgg: {folder}/run.json is damaged (')
        assert err.count('\n') == 1 and err[:-1].isprintable()
        for word in words:
            assert word in err
    assert os.listdir(folder) == before


@pytest.mark.parametrize('name', ['quick', 'book', 'book-own-draw'])
def test_records_of_earlier_days_open(name):
    found = Run.open(os.path.join(RESULTS, name))
    assert found.info['status'] == 'finished'
    assert found.experiment.max_epochs >= 3


@pytest.mark.parametrize(
    'content',
    [
        *(b'', b'[]', b'null', b'"text"', b'7', b'{"status": "finished"}'),
        *(b'\0' * 100, b'\xff\xfe{\0}\0', b'[' * 100000, b'{"a":' * 100000),
        '{"name": "Größe"}'.encode('latin-1'),
        b'\x1b[2J',
    ],
    ids=lambda content: repr(content[:12]),
)
def test_a_record_that_is_none(content, tmp_path, capsys):
    (tmp_path / 'run.json').write_bytes(content)
    assert_damaged(tmp_path, capsys)


WRONG = [None, [], {}, 'text', '\x1b[2J', 10**400, -1, 1e999, '1', [[[]]]]
# What a value may well be: any text for a name, no folder at all
FITS = {
    'name': ['text', '1'],
    'letter': ['text', '1'],
    'experiment': ['text', '1', '\x1b[2J'],
    'root': [None, 'text', '1', '\x1b[2J'],
    'num_train': [None, -1, 10**400],
    'num_val': [None, -1, 10**400],
    'source': ['text', '1', '\x1b[2J'],
    'digest': [None, 'text', '1', '\x1b[2J'],
    'classes': [None],
    'machine': [{}],
    'devices': [[], [[[]]]],
    'results': [None, {}],
    'val_acc': [10**400, -1, 1e999],
    'parameters': [None, 'text', '1', '\x1b[2J'],
    # Which nothing reads any more
    'stand_in': WRONG,
    'division': WRONG,
    'hidden': [[], {}],
    'layers': [[], {}],
    'seed': [10**400],
    'max_epochs': [10**400],
    'batch_size': [10**400],
    'resize': [10**400],
}


def fields(info):
    """Return where each value of a record is that somebody reads."""
    places = [(name,) for name in ('status', 'name', 'experiment')]
    places += [('framework',), ('data',), ('hyperparameters',)]
    places += [('machine',), ('devices',)]
    places += [('parameters',), ('results',), ('results', 'val_acc')]
    places += [('data', n) for n in [*info['data'], 'digest', 'classes']]
    values = info['hyperparameters']
    places += [('hyperparameters', n) for n in values if n != 'description']
    arch = values['arch']
    return places + [('hyperparameters', 'arch', name) for name in arch]


def test_each_value_of_a_wrong_type(info, tmp_path):
    for place in fields(info):
        changed = copy.deepcopy(info)
        inner = changed
        for name in place[:-1]:
            inner = inner[name]
        for value in WRONG:
            if value in FITS.get(place[-1], []):
                continue
            inner[place[-1]] = value
            (tmp_path / 'run.json').write_text(json.dumps(changed))
            with pytest.raises(ValueError, match='run.json is damaged'):
                Run.open(tmp_path)
                pytest.fail(f'{place} may be {value!r:.40}')


@pytest.mark.parametrize(
    'change',
    [
        {'blocks': [[1000000, 1000000, 0]]},
        {'hidden': [10**12]},
        {'blocks': [[1, 4, 0]] * 5},  # Of images of 28 x 28
    ],
)
def test_a_network_that_nobody_trains(change, info, tmp_path, capsys):
    info['hyperparameters']['arch'].update(change)
    (tmp_path / 'run.json').write_text(json.dumps(info))
    assert_damaged(tmp_path, capsys)


def test_a_hyperparameter_that_nobody_knows(info, tmp_path, capsys):
    info['hyperparameters']['\x1b[2J'] = 1
    (tmp_path / 'run.json').write_text(json.dumps(info))
    assert_damaged(tmp_path, capsys)


def test_a_run_that_cannot_be_begun_leaves_no_folder(tmp_path, monkeypatch):
    def full(self, **info):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(Run, 'save', full)
    with pytest.raises(OSError, match='No space'):
        Run.new(str(tmp_path), 'a', EXPERIMENTS['quick'])
    assert os.listdir(tmp_path) == []


def test_no_flipped_bit_of_a_history_goes_unnoticed(info, tmp_path):
    path = tmp_path / 'history.csv'
    history = History(None, None, points={'val_acc': [(1.0, 0.5)]})
    info['history'] = history.to_csv(path)
    (tmp_path / 'run.json').write_text(json.dumps(info))
    assert Run.open(tmp_path).history().points == history.points
    content = path.read_bytes()
    for i in range(len(content)):
        changed = bytearray(content)
        changed[i] ^= 1
        path.write_bytes(changed)
        with pytest.raises(ValueError, match='is not the history'):
            Run.open(tmp_path).history()


def test_a_run_is_not_running_before_it_does(tmp_path):
    made = Run.new(str(tmp_path), 'a', EXPERIMENTS['quick'])
    with open(os.path.join(made.folder, 'run.json')) as file:
        assert json.load(file)['status'] == 'stopped'


def test_finished_run_whose_parameters_are_gone_says_so(capsys):
    folder = os.path.join(RESULTS, 'quick')
    assert main(['predict', folder]) == 1
    assert 'is finished, but its parameters.safetensors is gone' in (
        capsys.readouterr().err
    )
