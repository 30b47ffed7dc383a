"""The study of the spread: its arithmetic, and one real run of it."""

import math
import statistics
import subprocess
import sys

import numpy as onp
import pytest

from d2l_vgg import frameworks
from d2l_vgg.book import study
from d2l_vgg.cli import main
from d2l_vgg.training.experiments import Experiment


def test_spread_of_equal_shuffles_is_that_of_the_draws():
    mean, between, within = study.spread([[1, 1], [2, 2], [6, 6]])
    assert (mean, within) == (3, 0)
    assert between == pytest.approx(statistics.stdev([1, 2, 6]))


def test_spread_is_found_again_in_simulated_runs():
    """Draws with deviation 3, shuffles with deviation 1."""
    rng = onp.random.RandomState(0)
    effects = 3 * rng.randn(400, 1)
    groups = (effects + rng.randn(400, 5)).tolist()
    mean, between, within = study.spread(groups)
    assert mean == pytest.approx(0, abs=0.5)
    assert between == pytest.approx(3, rel=0.1)
    assert within == pytest.approx(1, rel=0.1)


def test_spread_of_shuffles_alone_is_not_put_on_the_draws():
    rng = onp.random.RandomState(0)
    _, between, within = study.spread(rng.randn(400, 5).tolist())
    assert between < 0.2 and within == pytest.approx(1, rel=0.1)


def test_spread_of_a_single_kind_is_not_known():
    assert math.isnan(study.spread([[1, 2, 3]])[1])
    assert math.isnan(study.spread([[1], [2]])[2])


def test_plateau_ends_where_the_loss_falls():
    assert study.plateau([2.3, 2.2, 1.9, 2.1]) == 20
    assert math.isnan(study.plateau([2.3, 2.3]))


def test_a_foreign_file_is_not_taken_for_a_study(tmp_path):
    path = tmp_path / 'study.csv'
    path.write_text('a,b\n1,2\n')
    with pytest.raises(ValueError, match='not a study'):
        study.read(str(path))


def test_the_command_keeps_its_runs_and_goes_on(
    tmp_path, capsys, monkeypatch
):
    pytest.importorskip('mxnet')
    monkeypatch.setattr(study, 'load', lambda *_: FewImages())
    command = [
        *('study', '--runs', str(tmp_path), '--max-epochs', '1'),
        *('--shuffles', '1', '--biases', 'zero', 'uniform'),
    ]
    assert main([*command, '--draws', '1']) == 0
    out = capsys.readouterr().out
    assert 'biases zero: 1 runs from 1 draws' in out
    assert 'biases uniform: 1 runs from 1 draws' in out
    (path,) = tmp_path.iterdir()
    first, uniform = study.read(str(path))
    assert first[:3] == ('zero', 0, 0) and 0 <= first.val_acc <= 1
    assert uniform.train_loss != first.train_loss

    assert main([*command, '--draws', '2']) == 0
    out = capsys.readouterr().out
    assert 'holds 2 of them' in out and 'from 2 draws' in out
    again, _, second, _ = study.read(str(path))
    assert repr(again) == repr(first)
    assert second[:3] == ('zero', 1, 0)
    assert second.val_loss != first.val_loss


@pytest.mark.parametrize('name', ['torch', 'tensorflow', 'jax'])
def test_a_study_in_another_framework(name, tmp_path, capsys, monkeypatch):
    pytest.importorskip(name)
    package = frameworks.load(name)
    few = package.FashionMNIST(4, 32, num_train=40, num_val=4)
    monkeypatch.setattr(study, 'load', lambda *_: few)
    command = [
        *('study', '--runs', str(tmp_path), '--max-epochs', '1'),
        *('--framework', name, '--shuffles', '1', '--draws', '1'),
        *('--biases', 'uniform', 'lecun'),
    ]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert 'biases uniform: 1 runs from 1 draws' in out
    (path,) = tmp_path.iterdir()
    assert path.name.startswith(f'{name}-32px')
    found = study.read(str(path))
    assert len({outcome.train_loss for outcome in found}) == 2
    assert all(0 <= outcome.val_acc <= 1 for outcome in found)
    assert main(command) == 0
    assert 'holds 2 of them' in capsys.readouterr().out


# Two studies whose trainings take no time, so that they often write at once
QUICK = """
import sys
from d2l_vgg.book import study

def train(framework, data, biases, draw, shuffle, *others):
    return study.Outcome(biases, draw, shuffle, *[float(shuffle)] * 5)

study.load, study.train = lambda *_: None, train
sys.stdin.read(1)
study.measure(
    ['zero'], draws=25, shuffles=int(sys.argv[1]), resize=32, batch_size=8,
    max_epochs=1, lr=0.1, folder=sys.argv[2],
)
"""


def test_two_studies_at_once_keep_each_others_runs(tmp_path):
    folder = str(tmp_path / 'study')
    both = [
        subprocess.Popen(
            [sys.executable, '-c', QUICK, shuffles, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for shuffles in ('3', '4')
    ]
    for process in both:
        process.stdin.write('x')
        process.stdin.flush()
    told = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert 'biases zero: 75 runs from 25 draws' in told[0]
    assert 'biases zero: 100 runs from 25 draws' in told[1]
    (path,) = (tmp_path / 'study').iterdir()
    which = [outcome[:3] for outcome in study.read(str(path))]
    wanted = {('zero', d, s) for d in range(25) for s in range(4)}
    assert set(which) == wanted and len(which) == 100


def test_a_study_does_not_go_on_from_a_trial(tmp_path, capsys, monkeypatch):
    pytest.importorskip('mxnet')
    monkeypatch.setattr(study, 'load', lambda *_: FewImages())
    command = [
        *('study', '--runs', str(tmp_path), '--max-epochs', '1'),
        *('--shuffles', '1', '--biases', 'zero', '--draws', '1'),
    ]
    monkeypatch.setenv('D2L_VGG_TRIAL', '2')
    assert main(command) == 0
    told = capsys.readouterr().out
    assert 'TRIAL: cut short to 2 minibatches' in told.splitlines()[-2]
    (trial,) = tmp_path.iterdir()
    assert trial.name.endswith('-trial2.csv')
    before = trial.read_text()
    monkeypatch.setenv('D2L_VGG_TRIAL', '0')
    assert main(command) == 0
    told = capsys.readouterr().out
    assert 'holds 0 of them' in told and 'TRIAL' not in told
    (whole,) = set(tmp_path.iterdir()) - {trial}
    assert trial.read_text() == before
    assert study.read(str(whole)) != study.read(str(trial))


GOOD = 'zero,0,0,10.0,2.0,1.0,1.0,0.5\n'


@pytest.mark.parametrize(
    'row',
    [
        'zero,0,0\n',
        'zero,0,0,1,2,3,4,5,6\n',
        'zero,one,0,10.0,2.0,1.0,1.0,0.5\n',
        'zero,0,0,10.0,2.0,1.0,1.0,high\n',
        'one,0,0,10.0,2.0,1.0,1.0,0.5\n',
        '\x1b[2J\n',
        '\n',
    ],
)
def test_a_damaged_table_is_told_with_its_line(
    row, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(study, 'load', lambda *_: FewImages())
    experiment = Experiment(resize=32, batch_size=128, max_epochs=2, lr=0.05)
    path = tmp_path / study.table_name('mxnet', experiment, True)
    text = ','.join(study.Outcome._fields) + '\n' + GOOD + row
    path.write_text(text)
    assert main(['study', '--runs', str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert out == '' and err.count('\n') == 1 and err[:-1].isprintable()
    assert f'{path}, line 3, is damaged' in err
    assert path.read_text() == text


@pytest.mark.parametrize('content', [b'\xff\xfe\0', b'"' + b'a' * 200000])
def test_a_table_that_is_no_text(content, tmp_path):
    path = tmp_path / 'study.csv'
    path.write_bytes(content)
    with pytest.raises(ValueError, match='not a study.*move it away'):
        study.read(str(path))


@pytest.mark.parametrize(
    'words, told',
    [
        (['--lr', 'nan'], "'nan' is no finite number"),
        (['--lr', '-1'], 'lr is -1.0'),
        (['--resize', '31'], '31 x 31 is too small'),
    ],
)
def test_a_study_that_cannot_be(words, told, tmp_path, capsys):
    words = ['study', '--runs', str(tmp_path / 'new'), *words]
    try:
        assert main(words) == 1
    except SystemExit as stop:
        assert stop.code == 2
    out, err = capsys.readouterr()
    assert out == '' and err.count('\n') == 1 and told in err
    assert list(tmp_path.iterdir()) == []


class FewImages:
    """Ten minibatches of random images, with the interface of d2l's data."""

    def train_dataloader(self):
        from mxnet import np

        rng = onp.random.RandomState(0)
        X = np.array(rng.rand(4, 1, 32, 32), dtype='float32')
        return [(X, np.array([0, 1, 2, 3]))] * 10

    def val_dataloader(self):
        return self.train_dataloader()[:1]
