"""Importing TensorFlow: quiet, and only what can be used."""

import os
import subprocess
import sys

import pytest

pytest.importorskip('tensorflow')

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
CODE = (
    'import sys; from d2l_vgg import tensorflow as d2l_vgg; '
    'assert sys.modules["tensorflow"].constant(2) + 1 == 3; '
    'assert d2l_vgg.__name__ == "d2l_vgg.tensorflow"'
)


def run(code=CODE, **variables):
    env = {**os.environ, 'PYTHONPATH': ROOT, **variables}
    for name in 'TF_CPP_MIN_LOG_LEVEL', 'KERAS_BACKEND':
        if name not in variables:
            env.pop(name, None)
    return subprocess.run(
        [sys.executable, '-c', code],
        env=env,
        capture_output=True,
        text=True,
    )


def test_nothing_is_written_at_import():
    done = run()
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')


@pytest.mark.slow
def test_whoever_sets_the_level_gets_the_log():
    done = run(TF_CPP_MIN_LOG_LEVEL='0')
    assert done.returncode == 0
    assert 'TensorFlow binary' in done.stderr


def test_what_is_no_log_line_is_not_kept_back():
    code = (
        'import os, sys, d2l_vgg.tensorflow.loading as loading\n'
        'del sys.modules["tensorflow"]\n'
        'os.environ.pop("TF_CPP_MIN_LOG_LEVEL")\n'
        'with loading.kept_quiet():\n'
        '    os.write(2, b"I0000 12:00 noise\\nan error\\n")\n'
        '    print("a warning", file=sys.stderr)\n'
    )
    assert run(code).stderr == 'an error\na warning\n'


@pytest.mark.slow
def test_another_keras_is_refused_in_one_sentence():
    done = run(KERAS_BACKEND='numpy')
    assert done.returncode == 1
    told = 'Keras computes with numpy, but it must'
    assert told in done.stderr.splitlines()[-1]
