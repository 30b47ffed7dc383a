"""A run that is stopped in a notebook, by the button that interrupts it."""

import os
import time
from pathlib import Path

import pytest

pytest.importorskip('ipykernel')
pytest.importorskip('jupyter_client')

from jupyter_client.manager import start_new_kernel

TESTS = Path(__file__).resolve().parents[1]
CELL = f"""
import sys
sys.path += [{str(TESTS / 'helpers')!r}, {str(TESTS.parent)!r}]
from numpy_data import FashionMNIST
from numpy_trainer import Softmax, Trainer
trainer = Trainer(max_epochs=10**6, seed=0)
data = FashionMNIST(batch_size=64, num_train=640, num_val=64)
trainer.fit(Softmax(), data)
"""


def stopped(folder):
    """Return the error that a notebook shows below a stopped cell."""
    env = {**os.environ, 'IPYTHONDIR': str(folder), 'D2L_VGG_TRIAL': '0'}
    manager, client = start_new_kernel(
        kernel_name='python3', cwd=str(folder), env=env
    )

    def wait_for(wanted):
        while True:
            message = client.get_iopub_msg(timeout=120)
            if wanted(message):
                return message['content']

    try:
        client.execute(CELL)
        wait_for(lambda m: 'minibatches' in str(m['content'].get('data')))
        time.sleep(1)
        manager.interrupt_kernel()
        return wait_for(lambda message: message['msg_type'] == 'error')
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_the_button_leaves_a_sentence_in_short_lines(tmp_path):
    error = stopped(tmp_path)
    assert error['ename'] == 'Stopped'
    lines, text = error['traceback'], error['evalue']
    assert ' '.join(lines) == text
    assert all(len(line) <= 78 or ' ' not in line for line in lines)
    assert text.startswith('Stopped in epoch ')
    assert 'of 1000000, after ' in text and 'of 10000000 steps' in text
    assert 'trainer.history' in text and '\n' not in text
