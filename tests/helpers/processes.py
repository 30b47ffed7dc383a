"""Python in a process of its own, for what is seen at the first import."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[2])


def run_python(code, *options, timeout=120, **variables):
    """Run `code` in a fresh Python at the root and return what it prints."""
    env = {**os.environ, **variables}
    if 'OMP_NUM_THREADS' not in variables:
        env.pop('OMP_NUM_THREADS', None)
    result = subprocess.run(
        [sys.executable, *options, '-c', textwrap.dedent(code)],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()
