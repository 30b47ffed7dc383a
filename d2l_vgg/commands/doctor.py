"""`d2l-vgg doctor`: what this machine can run, and what is missing."""

import getpass
import os
import re
import sys
import textwrap

from d2l_vgg import __version__
from d2l_vgg.commands import options
from d2l_vgg.foreign_text import visible
from d2l_vgg.frameworks import FRAMEWORKS
from d2l_vgg.probing import SECONDS
from d2l_vgg.training.experiments import EXPERIMENTS

WIDTH = 79


@options.command(
    options.choice(
        '--experiment', EXPERIMENTS, 'that is to run', default=options.DEFAULT
    ),
    options.switch(
        '--json', 'print a report to send, without names of users'
    ),
    options.number(
        'time_limit', 'seconds until a framework hangs', default=SECONDS
    ),
)
def doctor(experiment, json, time_limit):
    """Tell what this machine can run, and what to do where it cannot.

    Each framework that is installed trains one minibatch, in a process of
    its own. Exit status: 0 if one of them can train here, else 1.
    """
    from d2l_vgg.doctor import examine

    findings = examine(experiment, time_limit, tell_progress)
    tell_progress('')
    print(as_json(findings) if json else page(findings))
    return 0 if findings.trained else 1


def tell_progress(what):
    """Show on a terminal what is being tried, nothing when `what` is ''."""
    if sys.stderr.isatty():
        text = f'trying {what} ...' if what else ''
        print(f'\r\x1b[K{text}', end='', file=sys.stderr, flush=True)


def page(findings):
    """Return the page for a terminal: what works, then what to do."""
    well = [check for check in findings.checks if not check.do]
    ill = [check for check in findings.checks if check.do]
    lines = [*textwrap.wrap(headline(findings.trained), WIDTH), '']
    width = max([len(check.subject) for check in well], default=0)
    for check in well:
        begin = f'ok  {check.subject.ljust(width)}  '
        lines += wrap(check.text, begin, ' ' * len(begin))
    for check in ill:
        lines += ['', *wrap(f'{check.subject}: {check.text}.', '-   ')]
        lines += wrap(check.do, '    ')
        # Not cut, so that they can be copied
        lines += [' ' * 8 + visible(command) for command in check.commands]
    return '\n'.join(lines)


def wrap(text, begin, indent='    '):
    return textwrap.wrap(
        visible(text),
        WIDTH,
        initial_indent=begin,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def headline(trained):
    """Return one sentence that says what this machine can run."""
    if not trained:
        return 'You cannot train here yet: no framework can.'
    by_devices = {}
    for name, devices in trained.items():
        title = FRAMEWORKS[name].title
        by_devices.setdefault(' and '.join(devices), []).append(title)
    ways = [
        f'on the {devices} in {", ".join(titles)}'
        for devices, titles in by_devices.items()
    ]
    return f'You can train here: {"; ".join(ways)}.'


def as_json(findings):
    """Return all that was found out, without the name of who uses this."""
    import json

    report = {
        'd2l_vgg': __version__,
        'headline': headline(findings.trained),
        'can_train': bool(findings.trained),
        'trained': findings.trained,
        'checks': [
            {**check._asdict(), 'ok': not check.do}
            for check in findings.checks
        ],
    }
    return without_names(json.dumps(report, indent=2, ensure_ascii=False))


def without_names(text):
    """Return a text of JSON with `~` for homes and USER for the user."""
    home = os.path.expanduser('~').rstrip('/')
    if home.startswith('/'):
        text = re.sub(rf'{re.escape(home)}(?![\w.-])', '~', text)
    text = re.sub(r'/(?:home|Users)/[^/\s\'"\\]+', '~', text)
    try:
        name = re.escape(getpass.getuser())
    except (ImportError, KeyError, OSError):  # Windows, or a bare number
        return text
    if name == 'root':
        return text
    return re.sub(
        rf'(?<=/){name}(?![^\W_])|(?<![^\W_]){name}(?=/)', 'USER', text
    )
