"""A run that is killed at random moments ends as one that never was."""

import random
import time

import numpy as np
import pytest
from command_line import TINY, run, start

from d2l_vgg.training.runs import Run

pytest.importorskip('mxnet')

# With all that is drawn by chance
OPTIONS = [
    *TINY,
    *('--flip', '--shift', '2', '--dropout', '0.5', '--momentum', '0.9'),
    *('--name', 'a', '--checkpoint-seconds', '0'),
]


def test_random_kills(tmp_path):
    whole, killed = tmp_path / 'whole', tmp_path / 'killed'
    for folder in whole, killed:
        folder.mkdir()
    assert run('train', *OPTIONS, cwd=whole).returncode == 0
    rng = random.Random(0)
    words, kills = ['train', *OPTIONS], 0
    while kills < 5:
        process = start(*words, cwd=killed)
        if kills:  # From its first line on it is under way
            process.stdout.readline()
        time.sleep(rng.uniform(0, 3 if kills == 0 else 0.5))
        process.kill()
        process.communicate()
        kills += 1
        if (killed / 'runs' / 'a' / 'run.json').exists():
            words = ['train', '--resume', 'runs/a']
            if Run.open(killed / 'runs' / 'a').info['status'] == 'finished':
                break
    result = run(*words, cwd=killed)
    if Run.open(killed / 'runs' / 'a').info['status'] != 'finished':
        raise AssertionError(result.stderr)
    ours, theirs = killed / 'runs' / 'a', whole / 'runs' / 'a'
    assert (ours / 'history.csv').read_text() == (
        theirs / 'history.csv'
    ).read_text()
    with np.load(ours / 'parameters.npz') as a:
        with np.load(theirs / 'parameters.npz') as b:
            assert a.files == b.files
            for name in a.files:
                np.testing.assert_array_equal(a[name], b[name], name)
