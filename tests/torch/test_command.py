"""The command line with PyTorch: train, stop, resume, predict, compare."""

import signal

import pytest

pytest.importorskip('torch')

from command_line import TINY, run, start, wait_for

from d2l_vgg.training.runs import Run


@pytest.mark.slow
def test_a_run_is_stopped_and_resumed_and_predicts(tmp_path):
    runs, options = tmp_path / 'runs', ('--framework', 'torch', *TINY)
    options += ('--momentum', '0.9', '--checkpoint-seconds', '0')
    done = run('train', *options, '--name', 'whole', cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    # What is proposed next is for this framework, too
    assert 'train --framework torch --experiment book\n' in done.stdout
    process = start('train', *options, '--name', 'parts', cwd=tmp_path)
    saved = runs / 'parts' / 'checkpoint.safetensors'
    assert wait_for(saved.exists, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert 'train --resume runs/parts' in out
    done = run('train', '--resume', runs / 'parts', cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    whole, parts = Run.open(runs / 'whole'), Run.open(runs / 'parts')
    assert whole.framework == 'torch'
    assert 'torch' in whole.info['versions']
    # The digest is one of every bit
    assert whole.info['parameters'] == parts.info['parameters']
    assert whole.history().points == parts.history().points
    done = run('predict', runs / 'whole', cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = run('curves', runs / 'whole', cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert 'PyTorch' in done.stdout
