"""What is started ends with what has started it, if that is killed, too."""

import os
import signal
import subprocess
import sys

import pytest
from command_line import wait_for
from launchers import is_gone
from processes import ROOT

# A framework that starts a process and hangs
FRAMEWORK = """
import os, time
pid = os.fork()
if pid:
    with open('pids.tmp', 'w') as file:
        file.write(f'{os.getpid()} {pid}')
    os.rename('pids.tmp', 'pids')
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != 'linux', reason='it looks into /proc')
@pytest.mark.parametrize(
    'words',
    [
        ['-c', "from d2l_vgg import probing; probing.ask('torch')"],
        f'{ROOT}/benchmarks/bench.py --framework torch --no-stock'.split(),
    ],
    ids=['doctor', 'bench'],
)
def test_children_of_a_killed_process_end(words, tmp_path):
    (tmp_path / 'torch.py').write_text(FRAMEWORK)
    process = subprocess.Popen(
        [sys.executable, *words],
        cwd=tmp_path,
        env={**os.environ, 'PYTHONPATH': f'{tmp_path}{os.pathsep}{ROOT}'},
        stdout=subprocess.DEVNULL,
    )
    assert wait_for((tmp_path / 'pids').exists, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    pids = (tmp_path / 'pids').read_text().split()
    assert all(map(is_gone, pids))
