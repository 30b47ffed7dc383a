"""The command `d2l-vgg`: what it answers without a framework."""

import subprocess
import sys

import pytest
from command_line import assert_fails, call, done

from d2l_vgg import cli
from d2l_vgg.training import runs, workers


def test_other_commands_wait_for_no_workers(monkeypatch):
    monkeypatch.setenv('WORLD_SIZE', '2')
    assert 'lenet' in done('compare', 'lenet')
    assert workers.count() == 1


def test_every_hyperparameter_has_an_option():
    text = done('train', '--help')
    for name in runs.Experiment.__dataclass_fields__:
        if name != 'description':
            assert '--' + name.replace('_', '-') in text


# What would take half a second and more, d2l as it imports a framework
SLOW = {
    *('mxnet', 'torch', 'tensorflow', 'keras', 'jax', 'd2l'),
    *('numpy', 'matplotlib', 'matplotlib_inline', 'IPython', 'requests'),
}


def test_what_answers_at_once_imports_nothing_slow():
    code = (
        'import sys, d2l_vgg.cli\n'
        'for words in ["--help"], ["summary", "vgg16"]:\n'
        '    assert d2l_vgg.cli.main(words) == 0\n'
        'print("IMPORTED", *sys.modules)'
    )
    out = subprocess.check_output([sys.executable, '-c', code], text=True)
    imported = set(out.rsplit('IMPORTED', 1)[1].split())
    assert 'd2l_vgg.networks.architectures' in imported
    assert imported & SLOW == set()


def test_summary_has_the_published_total():
    words = 'summary vgg16 --channels 3 --num-classes 1000'.split()
    assert '138357544' in done(*words)


def test_compare_has_what_was_asked_for():
    text = done('compare', 'vgg11', 'lenet', '--resize', '64')
    assert 'vgg11' in text and 'lenet' in text and 'vgg19' not in text


def test_wrong_request_is_told_in_one_line(tmp_path):
    assert_fails(call('summary', 'vgg11', '--resize', '28'), '32 x 32')
    assert_fails(call('curves', tmp_path), 'No run in')
    (tmp_path / 'run.json').write_text('{"status": "fin')
    assert_fails(call('predict', tmp_path), 'damaged')


def test_debug_shows_the_traceback():
    with pytest.raises(ValueError):
        cli.main(['summary', 'vgg17', '--debug'])
