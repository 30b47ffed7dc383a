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
    first, second = blocks
    small = '32, (32, 32), num_train=64, num_val=64'
    first = replaced(
        first,
        ('max_epochs=10, num_gpus=1', "max_epochs=1, display='none'"),
        ('batch_size=128, resize=(224, 224)', small),
        ('(1, 1, 224, 224)', '(1, 1, 32, 32)'),
    )
    second = replaced(
        second,
        ('batch_size=64', 'batch_size=64, num_train=6000'),
        ('seed=0', "seed=0, display='none'"),
    )
    names = {}
    exec(first, names)
    assert names['history'].final['val_acc'] > 0
    exec(second, names)
    assert names['history'].final['val_acc'] > 0.85
    assert names['scores'].shape == (5000, 5)


def replaced(text, *pairs):
    """Return a text with other words, which must have had the old ones."""
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text
