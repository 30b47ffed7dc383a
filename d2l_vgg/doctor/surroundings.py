"""What is found out about all but frameworks and GPUs.

That is Python, NumPy, the processor, the memory, the disk, and the programs
for the chapter.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys

from d2l_vgg import machine, pdf_needs
from d2l_vgg.doctor import checks
from d2l_vgg.doctor.checks import Check
from d2l_vgg.doctor.probing import Outcome
from d2l_vgg.networks import costs
from d2l_vgg.networks.costs import memory_text
from d2l_vgg.platforms import INSTALL, family, remark
from d2l_vgg.training import precisions
from d2l_vgg.training.experiments import Experiment

PYTHONS = (3, 8), (3, 14)
BROWSERS = 'chromium', 'chromium-browser'


def check_python() -> Check:
    """Return what is to be said of Python and the system."""
    version = platform.python_version()
    system = f'{platform.system()} on {platform.machine()}'
    text = f'{version}, {system}'
    facts = {'version': version, 'system': system}
    if sys.version_info[:2] > PYTHONS[1]:
        text += ' (newer than 3.14, the newest that this project has tried)'
    if remark():
        text += f'; {remark()}'
    return Check('Python', text, facts=facts)


def check_numpy(outcome: Outcome) -> Check:
    """Return what is to be said of NumPy, by the probe that computes."""
    version = outcome.facts.get('version', '')
    if not outcome.problem:
        return Check('NumPy', version, facts=outcome.facts)
    if outcome.facts.get('type') == 'ModuleNotFoundError' and not version:
        return Check(
            'NumPy',
            'is not installed',
            'Install it:',
            (checks.make('setup') or checks.pip('install', 'numpy'),),
        )
    return Check(
        'NumPy',
        f'{version} does not work: {outcome.problem}'.strip(),
        'Install it anew:',
        (
            checks.pip('uninstall', '--yes', 'numpy'),
            checks.pip('install', 'numpy'),
        ),
        outcome.facts,
    )


def check_processor() -> Check:
    """Return what is to be said of the cores, and what they compute in."""
    cores = machine.physical_cores()
    threads = os.environ.get('OMP_NUM_THREADS')
    bfloat16 = precisions.has_bfloat16()
    text = f'{machine.processor()}, {cores} core{"s"[: cores > 1]}'
    text += ', with bfloat16' if bfloat16 else ', without bfloat16'
    facts = {
        'cores': cores,
        'processors': os.cpu_count(),
        'quota': machine.quota_text(),
        'threads': threads,
        'bfloat16': bfloat16,
    }
    if machine.quota_text():
        text += f'; {machine.quota_text()}'
    if threads and threads.isdigit() and int(threads) < cores:
        return Check(
            'processor',
            f'{text}, but OMP_NUM_THREADS is {threads}',
            'Unless other work needs the cores, let them be used:',
            ('unset OMP_NUM_THREADS',),
            facts,
        )
    return Check('processor', text, facts=facts)


def check_memory(name: str, needed: int) -> Check:
    """Return what is to be said of the memory.

    Args:
        name: of the experiment that is to be trained
        needed: the bytes that it takes at the least
    """
    there_is = machine.available_memory()
    facts = {'available': there_is, 'needed': needed}
    takes = f'{name} takes at least {memory_text(needed)}'
    if there_is is None:
        return Check('memory', f'not told by this system; {takes}')
    text = f'{memory_text(there_is)} free; {takes}'
    if there_is >= needed:
        return Check('memory', text, facts=facts)
    return Check(
        'memory',
        text,
        'End other programs, or take smaller minibatches (--batch-size) or '
        'images (--resize).',
        facts=facts,
    )


def check_disk(name: str, experiment: Experiment) -> Check:
    """Return what is to be said of the folder that runs are made in."""
    num_params = costs.totals(
        experiment.arch, (1, experiment.resize, experiment.resize)
    ).num_params
    # Parameters, and a checkpoint with momenta, of which a new one is written
    # before the old one goes
    needed = 4 * num_params * (1 + 2 * (2 if experiment.momentum else 1))
    try:
        here = os.getcwd()
        free = shutil.disk_usage(here).free
        writable = os.access(here, os.W_OK)
    except OSError as error:
        return Check(
            'disk',
            f'this folder cannot be used: {error.strerror}',
            'Change to another one.',
            ('cd',),
        )
    text = (
        f'{memory_text(free)} free here; {name} takes {memory_text(needed)}'
    )
    facts = {'free': free, 'needed': needed, 'writable': writable}
    if not writable:
        return Check(
            'disk',
            'this folder cannot be written',
            'Name one for the runs, such as:',
            (_own_command('train', '--runs', '/tmp/runs'),),
            facts,
        )
    if free < needed:
        return Check('disk', text, 'Make room.', facts=facts)
    return Check('disk', text, facts=facts)


def check_chapter() -> list[Check]:
    """Return what is to be said of the programs for the chapter."""
    found = []
    if importlib.util.find_spec('d2lbook'):
        found.append(Check('chapter', 'd2lbook is installed'))
    else:
        by_make = checks.make('chapter')
        by_pip = checks.pip('install', *checks.of_extra('book'))
        found.append(
            Check(
                'chapter',
                'd2lbook is not installed',
                'To build the chapter:',
                (by_make or by_pip,),
            )
        )
    missing = pdf_needs.missing()
    if missing:
        found.append(
            Check(
                'PDF',
                f'there is no {", ".join(missing)}',
                'To print the chapter, on Debian or Ubuntu:',
                (pdf_needs.how_to_install(missing),),
            )
        )
    else:
        found.append(Check('PDF', 'TeX is installed'))
    if any(map(shutil.which, BROWSERS)):
        found.append(Check('Chromium', 'is installed'))
    else:
        found.append(
            Check(
                'Chromium',
                'is not installed',
                "To test the chapter's page in a browser:",
                (f'{INSTALL.get(family() or "", "apt install")} chromium',),
            )
        )
    return found


def _own_command(*words):
    program = 'd2l-vgg'
    if shutil.which(program) is None:
        program = f'{checks.python()} -m d2l_vgg.cli'
    return ' '.join([program, *words])
