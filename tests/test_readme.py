"""The Python of the README does what it says."""

import re

import pytest
from processes import ROOT


def test_the_python_of_the_readme_runs(monkeypatch, tmp_path):
    """With a few images, and small ones."""
    pytest.importorskip('mxnet')
    with open(f'{ROOT}/README.md', encoding='utf-8') as file:
        blocks = re.findall(r'```python\n(.*?)```', file.read(), re.DOTALL)
    (block,) = blocks
    monkeypatch.chdir(tmp_path)
    small = '32, (32, 32), num_train=64, num_val=64'
    block = replaced(
        block,
        ('max_epochs=10, num_gpus=1', "max_epochs=1, display='none'"),
        ('batch_size=128, resize=(224, 224)', small),
        ('(1, 1, 224, 224)', '(1, 1, 32, 32)'),
    )
    names = {}
    exec(block, names)
    assert names['history'].final['val_acc'] > 0


def replaced(text, *pairs):
    """Return a text with other words, which must have had the old ones."""
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text
