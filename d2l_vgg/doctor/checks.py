"""A finding about this machine, and the commands that mend what is wrong."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shlex
import shutil
import sys
from typing import Any, NamedTuple

from d2l_vgg import cuda

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))


class Check(NamedTuple):
    """What was found out about a subject.

    `text` tells what is there, or what is wrong; `do` what to do about that,
    and is empty where all is well; `commands` are those to do it by. `facts`
    are the same for a program, in the types of JSON.
    """

    subject: str
    text: str
    do: str = ''
    commands: tuple[str, ...] = ()
    facts: dict[str, Any] | None = None


def python() -> str:
    """Return what calls this Python from this folder, for a command line."""
    found = shutil.which('python')
    if found and os.path.abspath(found) == os.path.abspath(sys.executable):
        return 'python'
    path = sys.executable
    try:
        below = os.path.relpath(path)
    except (OSError, ValueError):  # This folder is gone, or on another drive
        below = path
    return shlex.quote(path if below.startswith('..') else below)


def pip(*words: str) -> str:
    """Return the command by which this environment's pip does something."""
    if not cuda.is_installed('pip') and shutil.which('uv'):
        words = tuple(w for w in words if w != '--yes')
        call = f'uv pip {words[0]} --python {python()}'
    else:
        call = f'{python()} -m pip {words[0]}'
    return ' '.join([call, *map(shlex.quote, words[1:])])


def make(*words: str) -> str | None:
    """Return a command of the Makefile, None where that is of no use here.

    It sets up its own environment, so this has to be that one.
    """
    own = os.path.join(ROOT, os.environ.get('VENV') or '.venv')
    if not os.path.exists(os.path.join(ROOT, 'Makefile')) or (
        os.path.realpath(sys.prefix) != os.path.realpath(own)
    ):
        return None
    place = [] if is_here() else ['-C', shlex.quote(ROOT)]
    return ' '.join(['make', *place, *words])


def is_here() -> bool:
    """Return whether the working directory is this project."""
    try:
        return os.path.samefile(ROOT, os.curdir)
    except OSError:  # It is gone
        return False


def install_framework(framework: str) -> tuple[str, ...]:
    """Return the commands that install a framework, or install it anew."""
    by_make = make('setup', f'FRAMEWORK={framework}')
    if by_make:
        return (by_make,)
    if framework == 'mxnet':
        return install_mxnet('mxnet')
    return (pip('install', *of_extra(framework)),)


def install_mxnet(wheel: str, gone: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the commands that install a wheel of MXNet.

    Args:
        wheel: its name
        gone: the wheels that are to be uninstalled before
    """
    by_make = make('setup', f'MXNET={wheel[6:] or "cpu"}')
    # It would leave one as it is that is there, if damaged
    if by_make and wheel not in gone:
        return (by_make,)
    commands = [pip('uninstall', '--yes', *gone)] if gone else []
    commands.append(
        pip('install', '--no-deps', f'{wheel}==1.9.1', 'd2l==1.0.3')
    )
    commands.append(pip('install', *of_extra('mxnet-needs')))
    if wheel != 'mxnet':
        commands.append(pip('install', *cuda_packages()))
    return tuple(commands)


def of_extra(extra: str) -> list[str]:
    """Return what pip is to install for an extra of this package."""
    if not os.path.exists(os.path.join(ROOT, 'setup.py')):
        return _declared(extra)
    return ['--editable', f'{"." if is_here() else ROOT}[{extra}]']


def commands_in(text: str) -> tuple[str, ...]:
    """Return the commands that an error of ours names, for this pip."""
    found = re.findall(r'`((?:pip|make|apt) [^`]+)`', text)
    return tuple(
        pip(*shlex.split(command)[1:]) if command[:4] == 'pip ' else command
        for command in found
    )


def cuda_packages(folders: list[str] | None = None) -> list[str]:
    """Return what pip is to install for MXNet's CUDA libraries.

    Args:
        folders: of `cuda.LIBRARIES`, None for all
    """
    found = _declared('cuda-11')
    if folders is None or not found:
        return of_extra('cuda-11')
    names = {f'nvidia-{f.replace("_", "-")}-cu11' for f in folders}
    return [need for need in found if need.split('==')[0] in names]


def _declared(extra):
    """Return the requirements of an extra, none if pip does not know us."""
    try:
        needs = importlib.metadata.requires('d2l-vgg') or []
    except importlib.metadata.PackageNotFoundError:
        return []
    marker = re.compile(rf'extra == .{extra}.')
    return [n.split(';')[0].strip() for n in needs if marker.search(n)]
