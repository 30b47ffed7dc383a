"""Try a framework, which may crash or hang, in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from typing import Any

from d2l_vgg import children, frameworks, messages

# Importing a framework from a slow disk for the first time takes a minute;
# a GPU that is newer than it, for which it compiles its code, takes longer
SECONDS = 300

# Python's path is not always inherited: the folder of a script is in it
CODE = """
import sys
sys.path[:] = {path!r}
from d2l_vgg import children, probing
children.end_with_parent()
probing.answer({name!r})
"""


def answer(name: str) -> None:
    """Train in a framework; write each fact to stdout as a line of JSON."""
    # What the libraries print is not to get between the lines
    out = os.fdopen(os.dup(1), 'w', encoding='utf-8')
    os.dup2(2, 1)

    def tell(**fact):
        print(json.dumps(fact), file=out, flush=True)

    problem = ''
    try:
        package = frameworks.load(name)
        tell(imports=True)
        # 1 means the CPU, too, where the framework sees no GPU
        on_cpu = package.Trainer(1, 1, display='none').on_cpu
        for num_gpus, device in enumerate(['CPU'] if on_cpu else DEVICES):
            data = package.FashionMNIST(32, num_train=32, num_val=32)
            model = package.VGG(((1, 4), (1, 8)), lr=0.1)
            trainer = package.Trainer(1, num_gpus, display='none', seed=0)
            trainer.fit(model, data)
            tell(**{device: True})
    except BaseException as error:  # Some libraries raise SystemExit
        problem = messages.explain(error)
    tell(problem=problem)


DEVICES = ['CPU', 'GPU']


def ask(name: str, seconds: float = SECONDS) -> dict[str, Any]:
    """Return whether a framework `imports`, and trains on `CPU` and `GPU`.

    `problem` is what it ended with, '' without any. It is killed after so
    many seconds.
    """
    words = [sys.executable, '-c', CODE.format(path=sys.path, name=name)]
    pipes = {'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE}
    with children.started(words, **pipes) as process:
        try:
            out, err = process.communicate(timeout=seconds)
            problem = _how_it_ended(process.returncode, err)
        except subprocess.TimeoutExpired:
            problem = f'no answer within {seconds:g} seconds'
            os.killpg(process.pid, signal.SIGKILL)
            out, _ = process.communicate()
    facts: dict[str, Any] = {'problem': problem}
    for line in out.decode(errors='replace').splitlines():
        facts.update(json.loads(line))
    return facts


def _how_it_ended(status, err):
    if status < 0:
        return f'it crashed by {signal.Signals(-status).name}'
    words = messages.one_line(err.decode(errors='replace'))[-200:]
    return f'it ended by itself with status {status} ({words})'
