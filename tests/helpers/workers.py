"""The processes that a launcher has started."""

import os
import signal
import subprocess


def pid_of(launcher, rank):
    """Return the process of the worker with this rank."""
    (pid,) = [
        pid
        for pid in children(launcher.pid)
        if environment(pid).get('RANK') == str(rank)
    ]
    return pid


def children(pid):
    found = subprocess.run(
        ['pgrep', '-P', str(pid)], capture_output=True, text=True
    )
    return [int(word) for word in found.stdout.split()]


def environment(pid):
    with open(f'/proc/{pid}/environ', encoding='utf-8') as file:
        pairs = file.read().split('\0')
    return dict(pair.split('=', 1) for pair in pairs if pair)


def kill(pid):
    os.kill(pid, signal.SIGKILL)
