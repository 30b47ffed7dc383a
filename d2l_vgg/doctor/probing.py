"""Run a probe in a process of its own, within a time limit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import Any, NamedTuple

from d2l_vgg import messages

# Importing a framework from a slow disk for the first time takes a minute;
# a GPU that is newer than it, for which it compiles its code, takes longer
SECONDS = 300
# Python's path is not always inherited: the folder of a script is in it
CODE = """
import sys
sys.path[:] = {path!r}
from d2l_vgg.doctor import probe
probe.main(*sys.argv[1:])
"""


class Outcome(NamedTuple):
    """What came of a probe.

    `facts` are those that it told before its end, together; `problem` tells
    why it did not come to its own end, and is empty if it did.
    """

    facts: dict[str, Any]
    problem: str


def run(probe: str, *args: str, seconds: float = SECONDS) -> Outcome:
    """Run a probe of `probe.PROBES`, and kill it after `seconds`.

    Raises:
        OSError: no process can be started.
    """
    process = subprocess.Popen(
        [sys.executable, '-c', CODE.format(path=sys.path), probe, *args],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # With all that it starts it can be killed, and Ctrl-C is ours
        start_new_session=True,
    )
    problem = ''
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        out, err = _kill(process)
        problem = f'no answer within {seconds:g} seconds'
    except BaseException:
        _kill(process)
        raise
    facts = _facts(out)
    if not problem and not facts.pop('whole', False):
        problem = facts.pop('error', '') or _ending(process.returncode, err)
    return Outcome(facts, problem)


def _kill(process):
    """End a process and those that it has started; return its last words."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (AttributeError, OSError):  # Windows has no groups of processes
        process.kill()
    try:
        return process.communicate(timeout=5)
    except subprocess.TimeoutExpired:  # It waits for a device
        for stream in process.stdout, process.stderr:
            stream.close()
        return b'', b''


def _facts(out):
    """Return what the lines of JSON tell that were written whole."""
    facts = {}
    for line in out.decode(errors='replace').splitlines():
        try:
            facts.update(json.loads(line))
        except ValueError:
            continue
    return facts


def _ending(status, err):
    """Say how a process has ended that did not say so itself."""
    lines = err.decode(errors='replace').split('\n')
    words = [line for line in map(messages.one_line, lines) if line]
    last = f' ({words[-1][:200]})' if words else ''
    if status >= 0:
        return f'it ended by itself with status {status}{last}'
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f'signal {-status}'
    return f'it crashed by {name}'
