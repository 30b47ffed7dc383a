"""Speed and memory of this package beside stock d2l, measured in turns.

Each side lives in a process of its own, so that its peak memory can be told,
and is halted while the other side works, so that neither disturbs the other.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import threading

from d2l_vgg.training import precisions, runs

SIDES = ('stock', 'ours')
# Lines of a worker that are meant for us begin with this
MARK = '@bench '


def measure(sizes, batch_size, rounds, steps, num_gpus=0, root=None):
    """Measure each side in turns and print the table.

    Whoever calls this should have a SIGTERM end in an exception, as Ctrl-C
    does, since otherwise the processes of the sides stay behind.

    Args:
        sizes: of the images, in pixels
        batch_size: images at a step
        rounds: how often each side is measured
        steps: training steps in a round
        num_gpus: 0 for the CPU
        root: the folder of the data, 'stand-in', or None to search for it

    Raises:
        RuntimeError: the process of a side has failed.
    """
    print(
        f"Training the section's small network, minibatches of "
        f'{batch_size}; medians of {rounds} rounds '
        '(lowest to highest in brackets).'
    )
    where, found = runs.machine(), runs.versions('mxnet')
    print(
        f'{where["processor"]}, {where["cores"]} cores; '
        + ', '.join(f'{name} {found[name]}' for name in found)
    )
    sides = list(SIDES)
    if not num_gpus:
        # MXNet by itself uses half of the cores; what d2l gains by the
        # variable alone is shown beside what a reader of the book has
        sides.insert(1, 'stock, all cores')
        if precisions.has_bfloat16():
            sides.append('ours, bfloat16')
    print(
        '\n| images | side | images/s | ratio | peak memory |\n'
        '|---|---|---|---|---|'
    )
    for size in sizes:
        request = {
            'size': size,
            'batch_size': batch_size,
            'num_gpus': num_gpus,
            'root': root,
        }
        for line in compare(sides, request, rounds, steps):
            print(line, flush=True)


def compare(sides, request, rounds, steps):
    """Return the lines of the table for images of one size.

    Args:
        sides: what is compared, the first being stock d2l
        request: `size`, `batch_size`, `num_gpus` and `root` of the data
        rounds, steps: as in `measure`

    Raises:
        RuntimeError: the process of a side has failed.
    """
    workers = {}
    try:
        for side in sides:
            workers[side] = worker = Worker(side, request)
            worker.start()
        for worker in workers.values():
            worker.warm_up(steps)
        for i in range(rounds):
            # Whoever goes first in one round goes last in the next
            for side in sides if i % 2 == 0 else sides[::-1]:
                workers[side].round()
        for worker in workers.values():
            worker.measure_memory()
    finally:
        for worker in workers.values():
            worker.close()
    lines = []
    size = request['size']
    stock = workers['stock'].median()
    for side, worker in workers.items():
        lines.append(
            f'| {size} x {size} | {side} | {worker.median():.1f} '
            f'({min(worker.speeds):.1f} to {max(worker.speeds):.1f}) '
            f'| {worker.median() / stock:.2f} '
            f'| {worker.peak / 2**30:.2f} GiB |'
        )
    return lines


class Worker:
    """One side in a process that works when told and is halted otherwise."""

    def __init__(self, side, request):
        """Start it; `request` is that of `compare`."""
        environment = dict(os.environ)
        if side == 'stock, all cores':
            environment['OMP_NUM_THREADS'] = str(runs.physical_cores())
        self.process = subprocess.Popen(
            [
                sys.executable,
                '-m',
                'd2l_vgg.book.bench_worker',
                json.dumps({'side': side, **request}),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,  # Halted together with its loaders
        )
        self.batch_size = request['batch_size']
        self.speeds, self.peak = [], 0

    def start(self):
        """Wait until it is ready to work."""
        self.wait()
        self.halt()

    def warm_up(self, steps):
        """Compile, allocate, and fill the queues of the loaders."""
        self.steps = steps
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
        """Return what the worker has to say."""
        for line in self.process.stdout:
            if line.startswith(MARK):
                return json.loads(line[len(MARK) :])
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


def format_seconds(seconds):
    """Return a duration in the unit that suits it."""
    if seconds < 120:
        return f'{seconds:.0f} seconds'
    if seconds < 7200:
        return f'{seconds / 60:.0f} minutes'
    return f'{seconds / 3600:.1f} hours'
