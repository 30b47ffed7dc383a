"""`train --draw published` begins as the framework's published runs did."""

import importlib.util

import pytest
from command_line import done
from safetensors.numpy import load_file

from d2l_vgg.training.runs import Run

# The book's experiment, except for what takes long; nearly nothing is learned
BOOK = [
    *('train', '--experiment', 'book'),
    *('--num-train', '64', '--num-val', '32', '--batch-size', '32'),
    *('--arch', '((1,8),(1,8))', '--hidden', '64', '--resize', '28'),
    *('--max-epochs', '1', '--display', 'none', '--lr', '1e-9'),
]


@pytest.mark.parametrize('name', ['torch', 'tensorflow', 'jax'])
def test_run_begins_from_the_published_distribution(name, tmp_path):
    if importlib.util.find_spec(name) is None:
        pytest.skip(f'{name} is not installed')
    done(*BOOK, '--framework', name, '--runs', tmp_path, '--name', 'run')
    made = Run.open(tmp_path / 'run')
    assert made.experiment.draw == 'published'
    # The published TensorFlow runs trained without
    dropout = made.experiment.arch.dropout
    assert dropout == (0 if name == 'tensorflow' else 0.5)
    arrays = load_file(made.find_parameters())
    biases, weights = arrays['dense1.bias'], arrays['dense1.weight']
    fan_in = weights.shape[1]
    if name == 'torch':
        assert 0.7 < abs(biases).max() * fan_in**0.5 <= 1.0001
    else:
        assert abs(biases).max() < 1e-6
    # A normal distribution reaches further than a uniform one
    reach = abs(weights).max() / weights.std()
    assert reach == pytest.approx(2.27 if name == 'jax' else 1.73, abs=0.02)
