"""A probe in its own process: it may crash, hang, raise, or tell all."""

import os
import sys
import time

import pytest
from workers import state

from d2l_vgg.doctor import probing
from d2l_vgg.frameworks import FRAMEWORKS


@pytest.fixture
def torch(tmp_path, monkeypatch):
    """Write the module that passes for PyTorch."""
    monkeypatch.setattr(sys, 'path', [str(tmp_path), *sys.path])
    return tmp_path / 'torch.py'


@pytest.mark.skipif(os.name != 'posix', reason='signals are POSIX')
def test_a_crash_is_told_with_its_signal(torch):
    torch.write_text('import ctypes; ctypes.string_at(0)')
    outcome = probing.run('framework', 'torch')
    assert outcome == ({}, 'it crashed by SIGSEGV')


def test_one_that_hangs_is_killed_with_what_it_has_started(torch):
    torch.write_text(
        'import subprocess, sys, time\n'
        'child = subprocess.Popen([sys.executable, "-c",'
        ' "import time; time.sleep(60)"])\n'
        f'open({str(torch) + ".pid"!r}, "w").write(str(child.pid))\n'
        'time.sleep(60)\n'
    )
    begin = time.monotonic()
    outcome = probing.run('framework', 'torch', seconds=5)
    assert time.monotonic() - begin < 40
    assert outcome == ({}, 'no answer within 5 seconds')
    with open(f'{torch}.pid') as file:
        pid = int(file.read())
    for _ in range(100):
        if not state(pid):
            return
        time.sleep(0.1)
    pytest.fail('what it has started is still there')


@pytest.mark.parametrize('code, told', [
    ('raise ImportError("libfoo.so.1: lost")', 'libfoo.so.1: lost'),
    ('raise SystemExit("not today")', 'not today'),
    ('import sys; sys.exit(3)', '3'),
    ('import os; os.write(2, b"licence\\x1b[2J expired\\n"); os._exit(7)',
     'status 7 (licence\\x1b[2J expired)'),
    ('raise KeyboardInterrupt', 'KeyboardInterrupt'),
])  # fmt: skip
def test_other_ends_are_told_in_a_line(torch, code, told):
    torch.write_text(code)
    outcome = probing.run('framework', 'torch')
    assert told in outcome.problem and '\n' not in outcome.problem
    assert '\x1b' not in outcome.problem


def test_what_a_library_prints_is_not_taken_for_an_answer(torch):
    torch.write_text(
        'import os\n'
        'print(\'{"imports": true}\')\n'
        'os.write(1, b\'{"on_cpu": 1}\\n\')\n'
        'raise ImportError("no")\n'
    )
    outcome = probing.run('framework', 'torch')
    assert not {'imports', 'on_cpu'} & set(outcome.facts)


@pytest.mark.parametrize('name', FRAMEWORKS)
def test_each_framework_trains(name):
    pytest.importorskip(name)
    outcome = probing.run('framework', name)
    assert outcome.problem == ''
    assert outcome.facts['imports'] and 0 < outcome.facts['on_cpu'] < 10


def test_numpy_computes():
    outcome = probing.run('numpy')
    assert outcome.facts['sum'] == 64 and outcome.problem == ''
