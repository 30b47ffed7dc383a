"""The study of the spread: its arithmetic, and one real run of it."""

import numpy as np
import pytest
import study

from d2l_vgg import frameworks
from d2l_vgg.training.experiments import Experiment


def test_spread_is_found_again_in_simulated_runs():
    """Draws with deviation 3, shuffles with deviation 1."""
    rng = np.random.RandomState(0)
    effects = 3 * rng.randn(400, 1)
    groups = (effects + rng.randn(400, 5)).tolist()
    mean, between, within = study.spread(groups)
    assert mean == pytest.approx(0, abs=0.5)
    assert between == pytest.approx(3, rel=0.1)
    assert within == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize(
    'content', [b'a,b\n1,2\n', b'\xff\xfe\0', b'"' + b'a' * 200000]
)
def test_read_refuses_what_is_no_study(content, tmp_path):
    path = tmp_path / 'study.csv'
    path.write_bytes(content)
    with pytest.raises(ValueError, match='not a study.*move it away'):
        study.read(str(path))


@pytest.mark.parametrize('line', ['other,0,0', 'zero,a,0', 'zero,0'])
def test_read_names_the_line_that_is_damaged(line, tmp_path):
    path, fields = tmp_path / 'study.csv', study.Outcome._fields
    line += (len(fields) - 3) * ',1'
    path.write_text(f'{",".join(fields)}\n{line}\n')
    with pytest.raises(ValueError, match='line 2, is damaged.*take the line'):
        study.read(str(path))


@pytest.mark.parametrize('name', ['mxnet', 'torch', 'tensorflow', 'jax'])
def test_study_trains_a_run_from_its_draw(name):
    pytest.importorskip(name)
    data = frameworks.load(name).FashionMNIST(4, 32, num_train=40, num_val=4)
    experiment = Experiment(resize=32, batch_size=4, max_epochs=1, lr=0.05)
    first, other = (
        study.train(name, data, 'uniform', draw, 0, experiment)
        for draw in (0, 1)
    )
    assert first[:3] == ('uniform', 0, 0) and 0 <= first.val_acc <= 1
    assert first.train_loss != other.train_loss
