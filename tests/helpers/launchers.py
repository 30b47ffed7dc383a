"""Trainings by several processes, as mpirun and torchrun start them."""

import os
import subprocess
import sys
import time

from processes import ROOT

BIN = os.path.dirname(sys.executable)
# More processes than processors, for root in a container, too
MPIRUN = (
    f'{BIN}/mpirun --allow-run-as-root --oversubscribe --bind-to none'
).split()
TORCHRUN = (
    f'{sys.executable} -m torch.distributed.run --nproc-per-node 2 '
    f'--no-python {sys.executable}'
).split()
# As the command, which imports nothing from the present folder
RUN = (
    "import sys; sys.path.remove(''); "
    'from d2l_vgg import cli; sys.exit(cli.main())'
)
TRAIN = ['-c', RUN, 'train']
# Nobody answers at this address
PROXIES = dict.fromkeys(
    ['http_proxy', 'https_proxy', 'grpc_proxy'], 'http://192.0.2.1:9'
)


def mpirun(num_processes, *words):
    """Return the command by which so many processes train."""
    return [*MPIRUN, '-n', num_processes, sys.executable, *TRAIN, *words]


def options(folder, **variables):
    pipes = {'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE}
    env = {**os.environ, 'PYTHONPATH': ROOT, **PROXIES, **variables}
    return {'cwd': folder, 'env': env, 'text': True, **pipes}


def start(words, folder, **variables):
    """Start a command in `folder`, and return its process."""
    words = list(map(str, words))
    return subprocess.Popen(words, **options(folder, **variables))


def finish(words, folder):
    """Run a command in `folder` to its end; return what came of it."""
    words = list(map(str, words))
    return subprocess.run(words, timeout=400, **options(folder))


def pid_of(launcher, rank):
    """Return the process that mpirun has started with this rank."""
    path = f'/proc/{launcher.pid}/task/{launcher.pid}/children'
    with open(path) as file:
        pids = [int(pid) for pid in file.read().split()]
    wanted = f'OMPI_COMM_WORLD_RANK={rank}'
    (found,) = [pid for pid in pids if wanted in environment(pid)]
    return found


def environment(pid):
    with open(f'/proc/{pid}/environ', encoding='utf-8') as file:
        return file.read().split('\0')


def is_gone(pid, seconds=5):
    """Return whether a process has ended, or does so in this time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with open(f'/proc/{pid}/stat') as file:
                state = file.read().rsplit(')', 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == 'Z':  # Nobody has asked yet how it has ended
            return True
        time.sleep(0.05)
    return False
