"""A run that is asked to stop ends its step first, and then goes on.

Trained is a linear classifier in NumPy, so only the loop is tried.
"""

import os
import signal
import threading

import numpy as np
import pytest
from numpy_data import FashionMNIST
from numpy_trainer import Softmax, Trainer

SIGNALS = [signal.SIGINT, signal.SIGTERM]


@pytest.fixture(scope='module')
def data():
    return FashionMNIST(32, num_train=330, num_val=80)


class Stopped(Trainer):
    """Sends a signal to its own process in the middle of a step."""

    stop_at = signum = None

    def train_step(self, batch, lr=None):
        if self.train_batch_idx == self.stop_at:
            os.kill(os.getpid(), self.signum)
        return super().train_step(batch, lr)

    def validation_step(self, batch):
        if ('val', self.val_batch_idx) == self.stop_at:
            os.kill(os.getpid(), self.signum)
        return super().validation_step(batch)


def fit(data, stop_at=None, signum=None, resume=False, **options):
    trainer = Stopped(2, seed=3, display='none', **options)
    trainer.stop_at, trainer.signum = stop_at, signum
    trainer.fit(Softmax(), data, resume=resume)
    return trainer


@pytest.mark.parametrize('signum', SIGNALS)
@pytest.mark.parametrize(
    'stop_at', [0, 4, 10, 11, 15, 21, ('val', 0), ('val', 5)], ids=str
)
def test_a_stopped_run_goes_on(data, tmp_path, stop_at, signum):
    path = tmp_path / 'checkpoint.safetensors'
    before = signal.getsignal(signum)
    with pytest.raises(KeyboardInterrupt):
        fit(data, stop_at, signum, checkpoint=path)
    assert signal.getsignal(signum) is before
    whole, resumed = fit(data), fit(data, resume=True, checkpoint=path)
    np.testing.assert_array_equal(whole.model.W, resumed.model.W)
    assert whole.history.points == resumed.history.points


def test_a_run_outside_the_main_thread_takes_no_signals(data):
    found = []
    before = [signal.getsignal(signum) for signum in SIGNALS]

    def train():
        found.append(fit(data))
        found.append([signal.getsignal(signum) for signum in SIGNALS])

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert found[0].history.final['val_acc'] > 0
    assert found[1] == before
