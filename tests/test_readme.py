"""The Python of the README does what it says."""

import re

import pytest
from processes import ROOT


def test_the_python_of_the_readme_runs(monkeypatch, tmp_path):
    """All blocks one after another, with a few images, and small ones."""
    pytest.importorskip('mxnet')
    with open(f'{ROOT}/README.md', encoding='utf-8') as file:
        blocks = re.findall(r'```python\n(.*?)```', file.read(), re.DOTALL)
    assert len(blocks) == 2
    monkeypatch.chdir(tmp_path)
    first = blocks[0]
    for old, new in (
        ('max_epochs=10, num_gpus=1', "max_epochs=1, display='none'"),
        ('batch_size=128, resize=(224, 224)', '32, (32, 32), num_train=64'),
        ('(1, 1, 224, 224)', '(1, 1, 32, 32)'),
    ):
        assert old in first
        first = first.replace(old, new)
    names = {}
    exec(first, names)
    assert names['history'].final['val_acc'] > 0
    exec(blocks[1].replace('seed=0', "seed=0, display='none'"), names)
    assert names['history'].final['val_acc'] > 0.85
    assert names['scores'].shape == (5000, 5)
