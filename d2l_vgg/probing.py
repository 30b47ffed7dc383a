"""Ask what may crash or hang, in a process of its own: it cannot end ours."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from d2l_vgg import frameworks, gpus, messages

# Importing a framework from a slow disk for the first time takes a minute;
# a GPU that is newer than it, for which it compiles its code, takes longer
SECONDS = 300

# Python's path is not always inherited: the folder of a script is in it
CODE = """
import sys
sys.path[:] = {path!r}
from d2l_vgg import probing
probing.answer(*sys.argv[1:])
"""


def answer(name: str) -> None:
    """Write what is found out about a framework, or 'driver', to stdout.

    Each fact is a line of JSON, the last one how it ended.
    """
    # What the libraries print is not to get between the lines
    told = os.fdopen(os.dup(1), 'w', encoding='utf-8')
    os.dup2(2, 1)
    problem = ''
    try:
        for fact in _driver() if name == 'driver' else _train(name):
            print(json.dumps(fact), file=told, flush=True)
    except BaseException as error:  # Some libraries raise SystemExit
        problem = messages.explain(error)
    print(json.dumps({'problem': problem}), file=told, flush=True)


def _driver() -> Iterator[dict[str, Any]]:
    found = gpus.driver()
    yield {'driver': found and found._asdict()}


def _train(name: str) -> Iterator[dict[str, Any]]:
    """Train a tiny network in a framework, on the CPU and on the GPU."""
    package = frameworks.load(name)
    yield {'imports': True}
    # 1 means the CPU, too, where the framework sees no GPU
    sees_gpu = not package.Trainer(1, 1, display='none').on_cpu
    for num_gpus, device in enumerate(['CPU', 'GPU'][: 1 + sees_gpu]):
        data = package.FashionMNIST(32, num_train=32, num_val=32)
        model = package.VGG(((1, 4), (1, 8)), lr=0.1)
        trainer = package.Trainer(1, num_gpus, display='none', seed=0)
        trainer.fit(model, data)
        yield {device: True}


def ask(name: str, seconds: float = SECONDS) -> dict[str, Any]:
    """Return what `answer(name)` finds out, and the `problem` it ends with.

    It is killed after so many seconds.
    """
    process = subprocess.Popen(
        [sys.executable, '-c', CODE.format(path=sys.path), name],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # With all that it starts it can be killed, and Ctrl-C is ours
        start_new_session=True,
    )
    facts: dict[str, Any] = {}
    late = ''
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        late = f'no answer within {seconds:g} seconds'
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    if late:
        out, err = process.communicate()
    for line in out.decode(errors='replace').splitlines():
        facts.update(json.loads(line))
    status = process.returncode
    words = messages.one_line(err.decode(errors='replace'))[-200:]
    if late:
        facts['problem'] = late
    elif 'problem' not in facts and status < 0:
        facts['problem'] = f'it crashed by {signal.Signals(-status).name}'
    elif 'problem' not in facts:
        ending = f'it ended by itself with status {status} ({words})'
        facts['problem'] = ending
    return facts
