"""`d2l-vgg curves` holds a run against the tab that it was trained in."""

import json
import os
import shutil

import pytest

from d2l_vgg.cli import main
from d2l_vgg.training.runs import TRAINED


@pytest.mark.parametrize(
    'trained, asked, runs_of_the_book',
    [
        ('mxnet', None, "book's 11 MXNet runs"),
        ('tensorflow', None, "book's 11 TensorFlow runs"),
        ('tensorflow', 'jax', "book's 5 JAX runs"),
        ('mxnet', 'torch', "book's 11 PyTorch runs"),
        ('mxnet', 'pytorch', "book's 11 PyTorch runs"),
    ],
)
def test_whose_published_runs(
    trained, asked, runs_of_the_book, tmp_path, capsys
):
    folder = tmp_path / 'a'
    shutil.copytree(os.path.join(TRAINED, 'quick'), folder)
    info = json.loads((folder / 'run.json').read_text())
    info.update(framework=trained)
    (folder / 'run.json').write_text(json.dumps(info))
    options = ['--framework', asked] if asked else []
    picture = str(tmp_path / 'a.png')
    assert main(['curves', str(folder), '--output', picture, *options]) == 0
    assert runs_of_the_book in capsys.readouterr().out
