"""The published draw is that of a framework, or is not there."""

import os

import pytest

from d2l_vgg.book import draws
from d2l_vgg.cli import main
from d2l_vgg.training.runs import Run

pytest.importorskip('mxnet')

# The book's experiment, but for what takes long
BOOK = [
    *('train', '--experiment', 'book', '--data', 'stand-in'),
    *('--num-train', '256', '--num-val', '64', '--resize', '32'),
    *('--max-epochs', '1', '--display', 'none'),
]


def test_a_draw_that_is_not_known(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(draws, 'DRAWS', {})
    assert main([*BOOK, '--draw', 'published']) == 1
    assert '--draw seed' in capsys.readouterr().err
    assert os.listdir(tmp_path) == []
    assert main(BOOK) == 0
    assert 'are drawn from the seed' in capsys.readouterr().out
    assert Run.open('runs/book').experiment.draw == 'seed'
