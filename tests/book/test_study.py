"""The study of the spread: its arithmetic, and one real run of it."""

import math
import statistics

import numpy as onp
import pytest

from d2l_vgg.book import study
from d2l_vgg.cli import main
from d2l_vgg.datasets.stand_in import NOTE


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
    assert NOTE in out
    assert 'biases uniform: 1 runs from 1 draws' in out
    (path,) = tmp_path.iterdir()
    assert path.name.endswith('-stand-in.csv')
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


class FewImages:
    """Ten minibatches of random images, with the interface of d2l's data."""

    stand_in = True

    def train_dataloader(self):
        from mxnet import np

        rng = onp.random.RandomState(0)
        X = np.array(rng.rand(4, 1, 32, 32), dtype='float32')
        return [(X, np.array([0, 1, 2, 3]))] * 10

    def val_dataloader(self):
        return self.train_dataloader()[:1]
