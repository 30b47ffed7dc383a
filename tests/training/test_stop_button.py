"""A run that is stopped in a notebook, by the button that interrupts it."""

import os
import time
from pathlib import Path

import pytest

pytest.importorskip('ipykernel')
pytest.importorskip('jupyter_client')

from jupyter_client.manager import start_new_kernel

TESTS = Path(__file__).resolve().parents[1]
CELL = """
import os, sys, time
sys.path += [{helpers!r}, {root!r}]
from numpy_data import FashionMNIST
from numpy_trainer import Softmax, Trainer
trainer = Trainer(max_epochs=10**6, seed=0, **{options!r})
data = FashionMNIST(batch_size=64, num_train=640,
                    num_val=64)
model = Softmax()
print('begins')
trainer.fit(model, data)
"""


def stopped(folder, options):
    """Return the error that a notebook shows below a stopped cell."""
    env = {**os.environ, 'IPYTHONDIR': str(folder), 'D2L_VGG_TRIAL': '0'}
    manager, client = start_new_kernel(
        kernel_name='python3', cwd=str(folder), env=env
    )
    try:
        code = CELL.format(
            helpers=str(TESTS / 'helpers'),
            root=str(TESTS.parent),
            options=options,
        )
        client.execute(code)
        while True:
            message = client.get_iopub_msg(timeout=120)
            content = message['content']
            if 'minibatches' in str(content.get('data')):
                time.sleep(1)
                manager.interrupt_kernel()
                break
        while True:
            message = client.get_iopub_msg(timeout=60)
            if message['msg_type'] == 'error':
                return message['content']
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def sentence_of(error):
    """Return the sentence that a notebook shows alone, in short lines."""
    lines = error['traceback']
    assert ' '.join(lines) == error['evalue']
    assert all(len(line) <= 78 or ' ' not in line for line in lines)
    return error['evalue']


def test_the_button_leaves_a_sentence(tmp_path):
    error = stopped(tmp_path, {})
    assert error['ename'] == 'Stopped'
    line = sentence_of(error)
    assert line.startswith('Stopped in epoch ')
    assert 'of 1000000, after ' in line and 'of 10000000 minibatches' in line
    assert 'trainer.history' in line and '\n' not in line
