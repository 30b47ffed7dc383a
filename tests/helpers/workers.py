"""The processes that a launcher or another command has started."""

import os
import signal


def pid_of(launcher, rank):
    """Return the process of the worker with this rank."""
    (pid,) = [
        pid
        for pid in children(launcher.pid)
        if environment(pid).get('RANK') == str(rank)
    ]
    return pid


def children(pid):
    try:
        with open(f'/proc/{pid}/task/{pid}/children') as file:
            return [int(child) for child in file.read().split()]
    except (FileNotFoundError, ProcessLookupError):  # It has ended
        return []


def descendants(pid):
    found = children(pid)
    return found + [d for child in found for d in descendants(child)]


def state(pid):
    """Return the letter of a process, such as T if halted; '' at its end."""
    try:
        with open(f'/proc/{pid}/stat') as file:
            letter = file.read().rsplit(')', 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ''
    # Z stands for one that has ended and waits to be asked how
    return letter.replace('Z', '')


def environment(pid):
    with open(f'/proc/{pid}/environ', encoding='utf-8') as file:
        pairs = file.read().split('\0')
    return dict(pair.split('=', 1) for pair in pairs if pair)


def kill(pid):
    os.kill(pid, signal.SIGKILL)
