"""The command `d2l-vgg`, here or in a process of its own; a tiny training."""

import contextlib
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

from d2l_vgg import cli

TINY = (
    '--arch ((1,4),(1,8)) --hidden 16 --resize 28 '
    '--batch-size 32 --num-train 640 --num-val 100 --max-epochs 2 '
    '--display lines'
).split()


def call(*args):
    """Run the command in this process; return what came of it."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = cli.main(list(map(str, args)))
    return subprocess.CompletedProcess(
        args, status, out.getvalue(), err.getvalue()
    )


def done(*args):
    """Run the command here, without an error; return what it prints."""
    result = call(*args)
    assert result.returncode == 0, result.stderr
    return result.stdout


def stop_at(monkeypatch, package, step):
    """Let a trainer of `package` be sent Ctrl-C in this of its steps."""
    whole = package.Trainer.train_step

    def train_step(self, *args, **options):
        if self.train_batch_idx == step:
            signal.raise_signal(signal.SIGINT)
        return whole(self, *args, **options)

    monkeypatch.setattr(package.Trainer, 'train_step', train_step)


def run(*args, cwd=None, env=None, timeout=300):
    """Run the command to its end in a process; return what came of it."""
    return subprocess.run(
        [sys.executable, '-m', 'd2l_vgg.cli', *map(str, args)],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        timeout=timeout,
        capture_output=True,
        text=True,
    )


# A file-size limit stands for a disk that is full
FULL = (
    'import resource, signal, sys; '
    'signal.signal(signal.SIGXFSZ, signal.SIG_IGN); '
    'resource.setrlimit(resource.RLIMIT_FSIZE, (40000, 40000)); '
    'from d2l_vgg import cli; sys.exit(cli.main(sys.argv[1:]))'
)


def run_on_a_full_disk(*args, cwd):
    """Run the command where no file may grow above 40000 bytes."""
    return subprocess.run(
        [sys.executable, '-c', FULL, *args],
        cwd=cwd,
        capture_output=True,
        text=True,
    )


def start(*args, cwd, **options):
    """Start the command, and return its process."""
    pipes = {'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE}
    return subprocess.Popen(
        [sys.executable, '-m', 'd2l_vgg.cli', *map(str, args)],
        cwd=cwd,
        **{**pipes, 'text': True, **options},
    )


def assert_fails(result, *words, end='.'):
    """The command has failed with one line that has these words."""
    assert result.returncode == 1
    lines = result.stderr.strip().splitlines()
    assert lines and lines[-1].startswith('d2l-vgg: ')
    assert lines[-1].endswith(end)  # A whole sentence, if it is ours
    assert 'Traceback' not in result.stderr
    for word in words:
        assert word in lines[-1]


def assert_same_run(folder, other):
    """Both runs have the same history and the same parameters, to the bit."""
    assert (folder / 'history.csv').read_text() == (
        other / 'history.csv'
    ).read_text()
    ours, theirs = (
        (path / 'parameters.safetensors').read_bytes()
        for path in (folder, other)
    )
    assert ours == theirs


def change_record(folder, change):
    """Call `change` with what `run.json` tells, and write what it leaves."""
    path = pathlib.Path(folder, 'run.json')
    info = json.loads(path.read_text())
    change(info)
    path.write_text(json.dumps(info))


def wait_for(condition, process, seconds=120):
    """Wait until `condition()` holds; True if the process was still on.

    One that has not come so far in this time is ended.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        if condition():
            return True
        time.sleep(0.001)
    process.kill()
    return False
