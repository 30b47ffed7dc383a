"""A process of the benchmark, seen from outside: told to work, and watched.

It is halted whenever it has nothing to do, so that it disturbs no other; its
peak memory is measured from here.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import threading

# Lines of a worker that are meant for us begin with this
MARK = '@bench '


class Worker:
    """One side in a process that works when told and is halted otherwise."""

    def __init__(self, request):
        """Start it; what `request` has, `bench_worker` tells."""
        environment = dict(os.environ)
        if not request['num_gpus']:
            environment['CUDA_VISIBLE_DEVICES'] = ''
        # Else the first side would take all memory of the GPU for itself
        environment.setdefault('XLA_PYTHON_CLIENT_PREALLOCATE', 'false')
        environment.setdefault('TF_FORCE_GPU_ALLOW_GROWTH', 'true')
        if not request['all_cores']:
            environment.pop('OMP_NUM_THREADS', None)
        self.process = subprocess.Popen(
            [
                sys.executable,
                '-m',
                'd2l_vgg.book.bench_worker',
                json.dumps(request),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,  # Halted together with its loaders
        )
        self.batch_size = request['batch_size']
        self.speeds, self.peak = [], 0

    def warm_up(self, steps):
        """Compile, allocate, and fill the queues of the loaders.

        Raises:
            RuntimeError: the side cannot work, as its text tells.
        """
        self.steps = steps
        self.wait()
        self.work(steps + 2)

    def round(self):
        """Measure the speed once, in images per second."""
        seconds = self.work(self.steps)
        self.speeds.append(self.steps * self.batch_size / seconds)

    def measure_memory(self):
        """Measure the peak in a round of its own: watching takes time."""
        ended = threading.Event()
        watcher = threading.Thread(target=self.watch_memory, args=[ended])
        watcher.start()
        try:
            self.work(self.steps)
        finally:
            ended.set()
            watcher.join()

    def work(self, steps):
        """Have `steps` minibatches trained; return the seconds taken."""
        os.killpg(self.process.pid, signal.SIGCONT)
        try:
            self.process.stdin.write(f'{steps}\n')
            self.process.stdin.flush()
            return self.wait()
        finally:
            self.halt()

    def wait(self):
        """Return what the worker has to say.

        Raises:
            RuntimeError: it has failed.
        """
        for line in self.process.stdout:
            if line.startswith(MARK):
                said = json.loads(line[len(MARK) :])
                if isinstance(said, dict):
                    raise RuntimeError(said['failed'])
                return said
        raise RuntimeError(
            'A process of the benchmark has ended without a result: what it '
            'wrote above tells why.'
        )

    def halt(self):
        os.killpg(self.process.pid, signal.SIGSTOP)

    def watch_memory(self, ended):
        # However short the work is, it is looked at once
        while True:
            self.peak = max(self.peak, session_memory(self.process.pid))
            if ended.wait(0.1):
                return

    def median(self):
        return statistics.median(self.speeds)

    def close(self):
        for signum in (signal.SIGKILL, signal.SIGCONT):
            try:
                os.killpg(self.process.pid, signum)
            except ProcessLookupError:
                pass
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def session_memory(session):
    """Return the bytes that the processes of a session hold together.

    Pages that several of them share count once (the kernel's PSS).
    """
    total = 0
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            if os.getsid(int(pid)) != session:
                continue
            with open(f'/proc/{pid}/smaps_rollup') as file:
                for line in file:
                    if line.startswith('Pss:'):
                        total += int(line.split()[1]) * 1024
        except (OSError, ProcessLookupError):  # It has ended meanwhile
            continue
    return total
