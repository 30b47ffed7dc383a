"""What was found out, as a page for a terminal and as JSON to be sent."""

from __future__ import annotations

import functools
import json
import os
import re
import textwrap
from typing import Any

from d2l_vgg import __version__
from d2l_vgg.doctor.checks import Check
from d2l_vgg.doctor.examination import Findings
from d2l_vgg.foreign_text import visible

WIDTH = 79


def page(findings: Findings) -> str:
    """Return the page: what works, then what to do."""
    well = [check for check in findings.checks if not check.do]
    ill = [check for check in findings.checks if check.do]
    lines = [*textwrap.wrap(findings.headline, WIDTH), '']
    width = max([len(check.subject) for check in well], default=0)
    for check in well:
        begin = f'ok  {check.subject.ljust(width)}  '
        lines += _wrap(visible(check.text), begin, ' ' * len(begin))
    if ill:
        lines += ['', 'What to do:']
    for check in ill:
        text = visible(check.text).rstrip('.')
        lines += ['', *_wrap(f'{check.subject}: {text}.', '-   ', '    ')]
        lines += _wrap(visible(check.do), '    ', '    ')
        for command in check.commands:
            lines += _command(visible(command))
    return '\n'.join(lines)


def _wrap(text, begin, indent):
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=begin,
        subsequent_indent=indent,
        # A path or a name that is cut cannot be copied
        break_long_words=False,
        break_on_hyphens=False,
    )


def _command(command):
    """Return a command in lines that the shell takes for one."""
    lines = textwrap.wrap(
        command,
        WIDTH - 2,
        initial_indent=' ' * 8,
        subsequent_indent=' ' * 12,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [f'{line} \\' for line in lines[:-1]] + lines[-1:]


def as_json(findings: Findings) -> str:
    """Return all that was found out, without the name of who uses this."""
    report = {
        'd2l_vgg': __version__,
        'headline': findings.headline,
        'can_train': bool(findings.trained),
        'trained': findings.trained,
        'checks': [_fields(check) for check in findings.checks],
    }
    return json.dumps(without_names(report, user_names()), indent=2)


def _fields(check: Check) -> dict[str, Any]:
    return {**check._asdict(), 'ok': not check.do}


def user_names() -> set[str]:
    """Return the names that this user goes by, but for that of root."""
    variables = 'USER', 'LOGNAME', 'SUDO_USER', 'USERNAME'
    found = {os.environ.get(variable, '') for variable in variables}
    try:
        import pwd

        found.add(pwd.getpwuid(os.getuid()).pw_name)
    except (ImportError, KeyError, OSError):  # Windows, or a bare number
        pass
    return found - {'', 'root'}


def without_names(value: Any, names: set[str]) -> Any:
    """Return a value of JSON without home folders and names of users.

    A home becomes `~`; a name, where it is in a path, becomes USER.
    """
    if isinstance(value, dict):
        return {key: without_names(v, names) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_names(v, names) for v in value]
    if not isinstance(value, str):
        return value
    home = os.path.expanduser('~').rstrip('/')
    if home.startswith('/'):
        value = re.sub(rf'{re.escape(home)}(?![\w.-])', '~', value)
    value = re.sub(r'/(?:home|Users)/[^/\s\'"]+', '~', value)
    for name in names:
        whole = rf'(?<![^\W_]){re.escape(name)}(?![^\W_])'
        value = re.sub(
            r'\S*/\S*', functools.partial(_without_name, whole), value
        )
    return value


def _without_name(whole, path):
    return re.sub(whole, 'USER', path.group())
