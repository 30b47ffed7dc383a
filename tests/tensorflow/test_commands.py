"""The command line in TensorFlow, as real processes."""

import json
import os
import signal
import subprocess
import sys

import pytest

pytest.importorskip('tensorflow')

from processes import ROOT

ARGS = ['--framework', 'tensorflow', '--num-train']
ARGS += ['640', '--num-val', '64', '--experiment', 'best', '--max-epochs']
ARGS += ['2', '--display', 'lines', '--arch', '((1,8),(1,16))']


def start(folder, *args):
    env = {**os.environ, 'PYTHONPATH': ROOT}
    env.pop('TF_CPP_MIN_LOG_LEVEL', None)
    return subprocess.Popen(
        [sys.executable, '-m', 'd2l_vgg.cli', *args],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(folder, *args):
    process = start(folder, *args)
    out, err = process.communicate(timeout=300)
    assert (process.returncode, err) == (0, ''), err
    return out


def test_a_run_is_stopped_resumed_looked_at_and_predicted_with(tmp_path):
    run(tmp_path, 'train', *ARGS, '--name', 'whole')
    process = start(tmp_path, 'train', *ARGS, '--name', 'stopped')
    for line in process.stdout:
        if line.startswith('epoch 1/2'):
            process.send_signal(signal.SIGINT)
            break
    process.communicate(timeout=300)
    runs = tmp_path / 'runs'

    def read(name):
        return json.loads((runs / name / 'run.json').read_text())

    assert read('stopped')['status'] == 'stopped'
    run(tmp_path, 'train', '--resume', 'runs/stopped', '--display', 'none')
    whole, stopped = read('whole'), read('stopped')
    assert whole['status'] == stopped['status'] == 'finished'
    assert whole['framework'] == 'tensorflow'
    assert 'keras' in whole['versions']
    for name in 'history.csv', 'parameters.safetensors':
        content = (runs / 'whole' / name).read_bytes()
        assert (runs / 'stopped' / name).read_bytes() == content, name
    out = run(tmp_path, 'predict', 'runs/whole')
    assert f'Accuracy {whole["results"]["val_acc"]:.4f} on 64 images' in out
    out = run(tmp_path, 'curves', 'runs/whole')
    assert 'TensorFlow' in out
