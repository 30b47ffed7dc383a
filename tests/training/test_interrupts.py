"""A command ends after Ctrl-C, wherever it is; nobody's signals are taken."""

import signal
import subprocess
import sys
import time

import pytest
from command_line import wait_for
from processes import ROOT

from d2l_vgg.training import interrupts

# Waits that no exception ends: it is passed over, or no Python runs
WAITS = {
    'exceptions are lost': """
while True:
    try:
        print('waits', flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        pass
""",
    'outside of Python': """
import ctypes
lock = ctypes.create_string_buffer(64)
ctypes.CDLL(None).pthread_mutex_lock(lock)
print('waits', flush=True)
ctypes.CDLL(None).pthread_mutex_lock(lock)
""",
}
ONCE = 'interrupts.once()'
DEFERRED = (
    f"{ONCE}, interrupts.before_end(lambda: print('words', flush=True)), "
    'interrupts.deferred()'
)


def state(process):
    """Return the letter by which the system tells what a process does."""
    with open(f'/proc/{process.pid}/stat') as file:
        return file.read().rsplit(')', 1)[1].split()[0]


@pytest.mark.skipif(sys.platform != 'linux', reason='locks of the system')
@pytest.mark.parametrize('wait', WAITS.values(), ids=WAITS)
@pytest.mark.parametrize(
    'block, presses, told', [(ONCE, 1, ''), (DEFERRED, 2, 'words\n')]
)
def test_command_that_no_exception_ends_is_ended(block, presses, told, wait):
    code = 'import time\nfrom d2l_vgg.training import interrupts\n'
    code += 'interrupts.SECONDS_TO_END = 0.2\n'
    code += f'with {block}:\n    exec({wait!r})'
    process = subprocess.Popen(
        [sys.executable, '-c', code],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    assert process.stdout.readline() == 'waits\n'
    assert wait_for(lambda: state(process) == 'S', process)
    for _ in range(presses):
        process.send_signal(signal.SIGINT)
        time.sleep(interrupts.SECONDS_OF_ONE_PRESS + 0.1)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    assert out.replace('waits\n', '') == told


@pytest.mark.parametrize('handler', [signal.SIG_IGN, lambda *args: None])
@pytest.mark.parametrize('name', ['SIGHUP', 'SIGUSR1'])
def test_signal_that_the_caller_ignores_or_takes_stays_his(name, handler):
    signum = getattr(signal, name)
    before = signal.signal(signum, handler)
    try:
        with interrupts.once(), interrupts.deferred() as stop:
            signal.raise_signal(signum)
            assert not stop.asked
    finally:
        signal.signal(signum, before)


def test_signal_that_the_system_repeats_is_one_press(monkeypatch):
    monkeypatch.setattr(interrupts, 'SECONDS_OF_ONE_PRESS', 0)
    with interrupts.deferred() as stop:
        signal.raise_signal(signal.SIGXCPU)
        signal.raise_signal(signal.SIGXCPU)
        assert stop.asked
        time.sleep(0.001)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
