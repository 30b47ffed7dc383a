"""`train --draw published` begins as the framework's published runs did."""

import numpy as np
import pytest
from command_line import done
from safetensors.numpy import load_file

from d2l_vgg import frameworks
from d2l_vgg.book import draws
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
    pytest.importorskip(name)
    done(*BOOK, '--framework', name, '--runs', tmp_path, '--name', 'run')
    made = Run.open(tmp_path / 'run')
    assert made.experiment.draw == 'published'
    # The published TensorFlow runs trained without
    dropout = made.experiment.arch.dropout
    assert dropout == (0 if name == 'tensorflow' else 0.5)
    arrays = load_file(made.find_parameters())
    model = frameworks.load(name).VGG(made.experiment.arch)
    draws.draw_as_published(name, model, 28, made.experiment.seed)
    for key, array in model.arrays().items():
        np.testing.assert_allclose(arrays[key], array, atol=1e-6)
