"""What this machine can run, and what to do about the rest.

What may crash or hang is asked by `probing`, so that it cannot end the look
itself.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import shutil
from collections.abc import Callable
from typing import Any, NamedTuple

from d2l_vgg import machine, messages, platforms, probing
from d2l_vgg.frameworks import CUDA_WHEELS, FRAMEWORKS
from d2l_vgg.gpus import Driver, Gpu
from d2l_vgg.networks import costs
from d2l_vgg.networks.costs import memory_text
from d2l_vgg.training import memory, precisions
from d2l_vgg.training.experiments import EXPERIMENTS, Experiment

# Which way leads to a GPU of NVIDIA, by the first compute capability that it
# is for. The wheels mxnet-cu112 and mxnet-cu117 hold machine code for 5.0,
# 6.0, 7.0, 8.0 and 8.6 and nothing to be compiled (read by cuobjdump in
# November 2026); NVIDIA's last container of MXNet, 24.06, names Hopper
WAYS = {
    (10, 0): 'PyTorch or JAX',
    (9, 0): "MXNet in NVIDIA's container (Dockerfile), PyTorch or JAX",
    (5, 0): 'MXNet by its wheel for CUDA, PyTorch or JAX',
    (0, 0): 'none: it is older than all builds of today',
}

# What pip installs for GPUs, as the frameworks' own pages say
FOR_GPUS = {
    'torch': 'torch>=2.13',
    'tensorflow': 'tensorflow[and-cuda]>=2.21',
    'jax': 'jax[cuda12]>=0.10.2',
}


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


class Findings(NamedTuple):
    """What was found out; `trained` maps a framework to its devices."""

    trained: dict[str, list[str]]
    checks: list[Check]


def examine(
    name: str,
    seconds: float = probing.SECONDS,
    progress: Callable[[str], object] = lambda text: None,
) -> Findings:
    """Find out what this machine can run.

    Args:
        name: of the experiment that it is to run
        seconds: after which a framework is taken to hang
        progress: called with what is being tried
    """
    experiment = EXPERIMENTS[name]
    if not precisions.has_bfloat16():
        experiment = dataclasses.replace(experiment, precision='float32')
    needed = memory.least_bytes(experiment)
    checks: list[Check] = []

    def add(subject, look, *args):
        """Take what `look` returns, or that it failed."""
        try:
            found = look(*args)
        except Exception as error:
            text = f'cannot be looked at: {messages.explain(error)}'
            found = Check(subject, text, 'Send this line to the authors.')
        checks.extend([found] if isinstance(found, Check) else found)

    progress('driver')
    told = probing.ask('driver', seconds)
    driver = _read_driver(told.get('driver'))
    trained: dict[str, list[str]] = {}
    installed = [f for f in FRAMEWORKS if is_installed(f)]
    for framework in installed:
        progress(framework)
        facts = probing.ask(framework, seconds)
        devices: list[str] = [d for d in ('CPU', 'GPU') if d in facts]
        if devices:
            trained[framework] = devices
        title = FRAMEWORKS[framework].title
        add(title, check_framework, framework, facts, driver)
    if not installed:
        add('frameworks', check_none)
    add('GPU', check_gpus, driver, told['problem'], needed)
    add('Python', check_python)
    add('processor', check_processor)
    add('memory', check_memory, name, needed)
    add('disk', check_disk, name, experiment)
    return Findings(trained, checks)


def _read_driver(told):
    if not told:
        return None
    found = [Gpu(n, tuple(c), m, f) for n, c, m, f in told['gpus']]
    return Driver(**{**told, 'gpus': found})


def is_installed(framework: str) -> bool:
    """Return whether a framework is there, in whatever state."""
    try:
        spec = importlib.util.find_spec(framework)
    except ValueError:  # A module of that name that says nothing of itself
        spec = None
    return bool(spec and spec.origin) or bool(_packages_of(framework))


def _packages_of(framework):
    """Return the framework's packages that pip has installed."""
    names = FRAMEWORKS[framework].packages
    versions = machine.versions(framework)
    return [n for n in names if n in versions and n not in ('d2l', 'keras')]


def check_framework(
    framework: str, facts: dict[str, Any], driver: Driver | None
) -> Check:
    """Return what is to be said of a framework, by what it has answered."""
    title = FRAMEWORKS[framework].title
    versions, own = machine.versions(framework), _packages_of(framework)
    named = ', '.join(f'{n} {versions[n]}' for n in own) or 'not by pip'
    facts = {**facts, 'versions': versions}
    problem = facts['problem']
    anew = (
        platforms.pip('uninstall', '--yes', *own),
        *platforms.install(framework),
    )
    if len(own) > 1 and framework == 'mxnet':
        return Check(
            title,
            f'{" and ".join(own)} share one folder, and one has overwritten '
            'the other',
            'Uninstall all, then install one:',
            anew,
            facts,
        )
    if 'CPU' not in facts:
        how = 'no training' if 'imports' in facts else 'no import'
        do = 'Do what it says' + (', or install it again:' if own else '.')
        return Check(
            title, f'{named}: {how}: {problem}', do, anew * bool(own), facts
        )
    if 'GPU' in facts:
        return Check(title, f'{named}: trains on CPU and GPU', facts=facts)
    if driver is None or not driver.gpus:
        return Check(title, f'{named}: trains on the CPU', facts=facts)
    do, commands = _way_to_gpu(framework, own, driver)
    why = f' ({problem})' if problem else ''
    return Check(
        title,
        f'{named}: trains on the CPU, but not on the GPU{why}',
        do,
        commands,
        facts,
    )


def _way_to_gpu(framework, own, driver):
    """Return what to do so that a framework computes on the GPU."""
    cpu = 'On the CPU it trains with `--num-gpus 0`.'
    hidden = os.environ.get('CUDA_VISIBLE_DEVICES') in ('', '-1')
    if hidden:
        return 'CUDA_VISIBLE_DEVICES hides it.', (
            'unset CUDA_VISIBLE_DEVICES',
        )
    if framework != 'mxnet':
        commands = (platforms.pip('uninstall', '--yes', *own),) if own else ()
        command = platforms.pip('install', FOR_GPUS[framework])
        return f'{cpu} For the GPU, install a build with CUDA:', (
            *commands,
            command,
        )
    if not any(5 <= gpu.capability[0] <= 8 for gpu in driver.gpus):
        ways = {way(gpu.capability) for gpu in driver.gpus}
        return f'The way to this GPU: {" or ".join(ways)}. {cpu}', ()
    if set(own) & set(CUDA_WHEELS):
        return (
            'See that the driver is from 515.43.04 on (mxnet-cu117) or '
            f'460.27.03 on (mxnet-cu112). {cpu}'
        ), ()
    return 'For the GPU, change the wheel:', platforms.install(
        'mxnet', 'cu117'
    )


def way(capability: tuple[int, int]) -> str:
    """Return which way leads to a GPU of this compute capability."""
    return next(WAYS[first] for first in WAYS if capability >= first)


def check_none() -> Check:
    """Return what is to be said where no framework is installed."""
    for name, refusal in (
        ('mxnet', platforms.refusal()),
        ('torch', platforms.refusal_of_others()),
    ):
        if refusal is None:
            commands = platforms.install(name)
            return Check(
                'frameworks', 'none is installed', 'Install one:', commands
            )
    return Check('frameworks', 'none is installed', refusal)


def check_gpus(
    driver: Driver | None, problem: str, needed: int
) -> list[Check]:
    """Return what is to be said of NVIDIA's driver and of each GPU."""
    container = 'in a container, start that with `--gpus all`'
    if problem:
        return [
            Check(
                'driver',
                f"NVIDIA's driver does not answer: {problem}",
                f'Restart the machine, or install the driver; {container}.',
            )
        ]
    if driver is None:
        return [Check('GPU', 'none of NVIDIA that a driver shows')]
    cuda = '.'.join(map(str, driver.cuda))
    text = f'NVIDIA {driver.version}, for CUDA up to {cuda}'
    if not driver.gpus:
        text += f', shows no GPU ({container})'
    found = [Check('driver', text, facts=driver._asdict())]
    for broken in driver.broken:
        found.append(Check('GPU', broken, 'Restart the machine.'))
    for i, gpu in enumerate(driver.gpus):
        found.append(_check_gpu(f'GPU {i}', gpu, needed))
    return found


def _check_gpu(subject, gpu, needed):
    types = [
        name
        for name in precisions.FIRST_GPUS
        if not precisions.gpu_lacks(name, gpu.capability)
    ]
    capability = '.'.join(map(str, gpu.capability))
    text = f'{gpu.name}, compute capability {capability}'
    text += f', with {", ".join(types)}' if types else ''
    facts = {**gpu._asdict(), 'number_types': types}
    if gpu.memory is not None:
        text += f', {memory_text(gpu.free)} free of {memory_text(gpu.memory)}'
        if needed > gpu.free:
            return Check(
                subject,
                f'{text}; at least {memory_text(needed)} are needed',
                'End what else uses it (`nvidia-smi` lists it), or take '
                'smaller minibatches (--batch-size) or images (--resize).',
                facts=facts,
            )
    return Check(subject, f'{text}: {way(gpu.capability)}', facts=facts)


def check_python() -> Check:
    """Return what is to be said of Python and the system."""
    found = machine.describe()
    text = f'{machine.versions(None)["python"]}, {found["system"]}'
    if platforms.remark():
        text += f'; {platforms.remark()}'
    return Check('Python', text, facts=found)


def check_processor() -> Check:
    """Return what is to be said of the cores, and what they compute in."""
    cores = machine.physical_cores()
    threads = os.environ.get('OMP_NUM_THREADS')
    text = f'{machine.processor()}, {cores} core{"s"[: cores > 1]}, with'
    text += 'out' * (not precisions.has_bfloat16()) + ' bfloat16'
    if threads and threads.isdigit() and int(threads) < cores:
        return Check(
            'processor',
            f'{text}, but OMP_NUM_THREADS is {threads}',
            'Unless other work needs the cores, let them be used:',
            ('unset OMP_NUM_THREADS',),
        )
    return Check('processor', text)


def check_memory(name: str, needed: int) -> Check:
    """Return whether an experiment fits, which takes so many bytes."""
    there_is = machine.available_memory()
    takes = f'{name} takes at least {memory_text(needed)}'
    if there_is is None:
        return Check('memory', f'not told by this system; {takes}')
    less = (
        'End other programs, or take smaller minibatches (--batch-size) or '
        'images (--resize).'
    )
    return Check(
        'memory',
        f'{memory_text(there_is)} free; {takes}',
        less if there_is < needed else '',
        facts={'available': there_is, 'needed': needed},
    )


def check_disk(name: str, experiment: Experiment) -> Check:
    """Return what is to be said of the folder that runs are made in."""
    num_params = costs.totals(
        experiment.arch, (1, experiment.resize, experiment.resize)
    ).num_params
    # Parameters, and a checkpoint with momenta, of which a new one is written
    # before the old one goes
    needed = 4 * num_params * (1 + 2 * (2 if experiment.momentum else 1))
    elsewhere = 'Name another folder for the runs (--runs), or make room.'
    try:
        free = shutil.disk_usage(os.getcwd()).free
    except OSError as error:
        return Check('disk', f'not to be used: {error.strerror}', elsewhere)
    text = (
        f'{memory_text(free)} free here; {name} takes {memory_text(needed)}'
    )
    if not os.access(os.curdir, os.W_OK):
        return Check('disk', 'this folder cannot be written', elsewhere)
    return Check('disk', text, elsewhere if free < needed else '')
