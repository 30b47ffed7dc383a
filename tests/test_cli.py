"""The command `d2l-vgg`: what it answers without a framework."""

import pytest
from command_line import done
from processes import run_python

from d2l_vgg import cli
from d2l_vgg.training import workers


def test_other_commands_wait_for_no_workers(monkeypatch):
    monkeypatch.setenv('WORLD_SIZE', '2')
    assert 'lenet' in done('compare', 'lenet')
    assert workers.count() == 1


# What would take half a second and more, d2l as it imports a framework
SLOW = {
    *('mxnet', 'torch', 'tensorflow', 'keras', 'jax', 'flax', 'd2l'),
    *('numpy', 'matplotlib', 'matplotlib_inline', 'IPython', 'requests'),
}


def test_what_answers_at_once_imports_nothing_slow():
    code = (
        'import sys, d2l_vgg.cli\n'
        'for words in ["--help"], ["summary", "vgg16"]:\n'
        '    assert d2l_vgg.cli.main(words) == 0\n'
        'print("IMPORTED", *sys.modules)'
    )
    imported = set(run_python(code).rsplit('IMPORTED', 1)[1].split())
    assert 'd2l_vgg.networks.architectures' in imported
    assert imported & SLOW == set()


def test_debug_shows_the_traceback():
    with pytest.raises(ValueError):
        cli.main(['summary', 'vgg17', '--debug'])
