"""`d2l-vgg doctor` as a process, where this and that is missing."""

import json
import os
import subprocess
import sys

import click
import pytest
import tabulate
from processes import ROOT


def doctor(site, *args, code=None, cwd=None, **env):
    """Run it with two small packages alone; return status and report."""
    for package in click, tabulate:
        name = os.path.basename(os.path.dirname(package.__file__))
        (site / name).symlink_to(os.path.dirname(package.__file__))
    command = ['-c', code] if code else ['-m', 'd2l_vgg.cli']
    done = subprocess.run(
        [sys.executable, '-S', *command, 'doctor', '--json', *args],
        env={
            'PATH': os.environ['PATH'],
            'PYTHONPATH': f'{site}:{ROOT}',
            'HOME': str(site),
            **env,
        },
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert 'Traceback' not in done.stderr
    return done.returncode, json.loads(done.stdout)


def of(report, subject):
    """Return the one check of a subject."""
    (check,) = [c for c in report['checks'] if c['subject'] == subject]
    return check


def test_doctor_on_machine_that_tells_nothing_of_itself(tmp_path):
    """No HOME, no /proc, no /sys, no programs, no user, no folder."""
    gone = tmp_path / 'gone'
    gone.mkdir()
    code = (
        'import builtins, os, pwd, sys\n'
        'from d2l_vgg import cli\n'
        'whole = builtins.open\n'
        'def some(path, *args, **more):\n'
        '    if str(path).startswith(("/proc", "/sys", "/etc")):\n'
        '        raise FileNotFoundError(2, "No such file", path)\n'
        '    return whole(path, *args, **more)\n'
        'builtins.open = some\n'
        'def nobody(*args): raise KeyError(args)\n'
        'pwd.getpwuid = pwd.getpwnam = nobody\n'
        'del os.environ["HOME"]\n'
        'os.environ["PATH"] = ""\n'
        'os.rmdir(os.getcwd())\n'
        'sys.exit(cli.main(sys.argv[1:]))\n'
    )
    status, report = doctor(tmp_path, code=code, cwd=gone)
    assert status == 1 and not gone.exists()
    assert report['can_train'] is False and of(report, 'frameworks')['do']
    assert of(report, 'Python')['ok']
    assert 'not to be used' in of(report, 'disk')['text']
    assert of(report, 'processor')['ok']
    assert 'not told' in of(report, 'memory')['text']


def test_doctor_exits_with_0_where_a_framework_trains(tmp_path):
    """With all that is here: MXNet is the only one that is let in."""
    pytest.importorskip('mxnet')
    for name in 'torch', 'tensorflow', 'jax':
        (tmp_path / f'{name}.py').write_text('raise ImportError("not now")')
    done = subprocess.run(
        [sys.executable, '-m', 'd2l_vgg.cli', 'doctor'],
        env={**os.environ, 'PYTHONPATH': f'{tmp_path}:{ROOT}'},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == 'You can train here: on the CPU in MXNet.'
