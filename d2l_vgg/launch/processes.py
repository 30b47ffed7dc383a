"""A process of a training, on this host or, by ssh, on another one."""

from __future__ import annotations

import collections
import contextlib
import os
import shlex
import signal
import subprocess
import sys
import threading
from typing import Any

from d2l_vgg.launch.plan import Role

MODULE = 'd2l_vgg.worker'
# A host that answers no longer is given up within 15 seconds
SSH = (
    'ssh -o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=5 '
    '-o ServerAliveCountMax=3'
).split()

# How variables begin that go to other hosts, too: what concerns this package,
# and what is set for the engines
PASSED_ON = (
    'D2L_VGG_',
    'PYTHONPATH',
    'CUDA_VISIBLE_DEVICES',
    'OMP_NUM_THREADS',
    'DMLC_INTERFACE',
    'GLOO_',
    'NCCL_',
)


class Process:
    """A process that has been started.

    Args:
        role: what it is, and where; if it is not shown, the last lines
            that it writes are kept for an error
        command: the words of the command line after `d2l-vgg`

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, role: Role, command: list[str]) -> None:
        self.name, self.host = role.name, role.host
        host, shown = role.host, role.shown
        told = {key: str(value) for key, value in role.environment.items()}
        words = [sys.executable, '-m', MODULE, *command]
        if not host.is_here:
            words = [*SSH, host.name, remote(words, told)]
        self.popen = subprocess.Popen(
            words,
            env={**inherited(), **(told if host.is_here else {})},
            stdin=subprocess.PIPE,
            stdout=None if shown else subprocess.DEVNULL,
            stderr=None if shown else subprocess.PIPE,
            # Ctrl-C in this terminal reaches the launcher alone
            start_new_session=True,
        )
        self.lines: Any = collections.deque(maxlen=20)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self) -> None:
        """Keep the last lines that it writes on stderr."""
        with self.popen.stderr or contextlib.nullcontext(()) as stream:
            for line in stream:
                text = line.decode(errors='replace').strip()
                if text:
                    self.lines.append(text)

    @property
    def status(self) -> int | None:
        """How it has ended, None if it has not; below 0, by a signal."""
        return self.popen.poll()

    @property
    def is_unreachable(self) -> bool:
        """Whether ssh says so."""
        return self.status == 255 and not self.host.is_here

    def stop(self) -> None:
        """Ask it to stop as by Ctrl-C."""
        with contextlib.suppress(OSError):
            self.popen.stdin.write(b'stop\n')  # type: ignore[union-attr]
            self.popen.stdin.flush()  # type: ignore[union-attr]

    def let_go(self) -> None:
        """End its input, with which it ends itself, on any host."""
        with contextlib.suppress(OSError):
            self.popen.stdin.close()  # type: ignore[union-attr]

    def end(self) -> None:
        """Wait until it is gone; one that is here does not decide when."""
        if not self.host.is_here:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.popen.wait(5)
        self.popen.kill()
        self.popen.wait()
        self.reader.join(5)

    def ending(self) -> str:
        """Return how it has ended, in words that follow on its name."""
        status = self.status
        assert status is not None
        self.reader.join(1)
        own = [line for line in self.lines if line.startswith('d2l-vgg: ')]
        if status < 0:
            how = f'was ended by {signal.Signals(-status).name}'
        elif own:
            how = f'says: {own[-1][len("d2l-vgg: ") :].rstrip(".")}'
        elif self.is_unreachable:
            how = 'cannot be reached'
        else:
            how = f'ended with status {status}'
        if self.lines and not own and status > 0:
            how += f' ({self.lines[-1].rstrip(".")})'
        where = '' if self.host.is_here else f' on {self.host.name}'
        return f'{self.name}{where} {how}'


def inherited() -> dict[str, str]:
    """Return the environment, without the place in another's plan."""
    return {k: v for k, v in os.environ.items() if k != 'DMLC_ROLE'}


def remote(words: list[str], environment: dict[str, str]) -> str:
    """Return the line that a shell on another host runs.

    Python, the package and the folder are at the same places there.
    """
    kept = {
        key: value
        for key, value in os.environ.items()
        if key.startswith(PASSED_ON)
    }
    told = [f'{k}={v}' for k, v in {**kept, **environment}.items()]
    return f'cd {shlex.quote(os.getcwd())} && exec ' + ' '.join(
        map(shlex.quote, ['env', *told, *words])
    )
