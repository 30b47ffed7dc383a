"""What this machine can run, and what to do about the rest."""

import dataclasses
import importlib.util
import os
import platform
import shutil
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from d2l_vgg import gpus, machine, platforms, probing, wheels
from d2l_vgg.frameworks import CUDA_WHEELS, FRAMEWORKS
from d2l_vgg.gpus import Driver
from d2l_vgg.networks import costs
from d2l_vgg.networks.costs import memory_text
from d2l_vgg.training import memory, precisions
from d2l_vgg.training.experiments import EXPERIMENTS, Experiment

# Which way leads to a GPU of NVIDIA, by the first compute capability that it
# is for. The wheels mxnet-cu112 and mxnet-cu117 hold machine code for 5.0,
# 6.0, 7.0, 8.0 and 8.6 and nothing to be compiled (read by cuobjdump in
# November 2026); NVIDIA's last container of MXNet, 24.06, names Hopper
WAYS = {
    (10, 0): 'PyTorch, JAX, or a wheel of MXNet 2 (README; not tried)',
    (9, 0): "MXNet in NVIDIA's container (Dockerfile), PyTorch, JAX, or a "
    'wheel of MXNet 2 (README; not tried)',
    (5, 0): 'MXNet by its wheel for CUDA, PyTorch or JAX',
    (0, 0): 'none: it is older than all builds of today',
}

# What pip installs for GPUs, as the frameworks' own pages say
FOR_GPUS = {
    'torch': ['torch>=2.13'],
    'tensorflow': ['tensorflow[and-cuda]>=2.21'],
    'jax': ['jax[cuda12]>=0.10.2', 'flax', 'optax'],
}

OR_LESS = 'or take smaller minibatches (--batch-size) or images (--resize).'


class Check(NamedTuple):
    """What was found out about a subject.

    `text` tells what is there, or what is wrong; `do` what to do about that,
    '' where all is well; `commands` are those to do it by. `facts` are for a
    program, in the types of JSON.
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
    name: str, seconds: float, progress: Callable[[str], object]
) -> Findings:
    """Find out whether this machine can run the experiment called `name`.

    After so many `seconds` a framework is taken to hang; `progress` is called
    with what is being tried.
    """
    experiment = EXPERIMENTS[name]
    if not precisions.has_bfloat16():
        experiment = dataclasses.replace(experiment, precision='float32')
    needed = memory.experiment_bytes(experiment, 'gpu')
    driver, problem = gpus.driver()
    trained, checks = {}, []
    for framework in filter(is_installed, FRAMEWORKS):
        progress(framework)
        facts = probing.ask(framework, seconds)
        devices = [device for device in probing.DEVICES if device in facts]
        if devices:
            trained[framework] = devices
        checks.append(check_framework(framework, facts, driver))
    found = machine.describe()
    text = f'{platform.python_version()}, {found["system"]}'
    checks += [
        *([] if checks else [check_none()]),
        *check_mxnet_2(driver),
        *check_gpus(driver, problem, needed),
        Check('Python', text, facts=found),
        check_processor(),
        check_memory(name, experiment, trained or FRAMEWORKS),
        check_disk(name, experiment),
    ]
    return Findings(trained, checks)


def is_installed(framework: str) -> bool:
    """Return whether a framework is there, in whatever state."""
    spec = importlib.util.find_spec(framework)
    return bool(spec and spec.origin) or bool(_packages_of(framework))


def _packages_of(framework):
    names = FRAMEWORKS[framework].packages
    versions = machine.versions(framework)
    return [n for n in names if n in versions and n not in ('d2l', 'keras')]


def check_framework(
    framework: str, facts: dict[str, Any], driver: Driver | None
) -> Check:
    """Return what is to be said of a framework, by what it has answered."""
    versions, own = machine.versions(framework), _packages_of(framework)
    named = ', '.join(f'{n} {versions[n]}' for n in own) or 'not by pip'
    wheel = '2' if versions.get('mxnet') == '2.0.0b1' else 'cpu'
    again = _uninstall(own) + platforms.install(framework, wheel)
    problem, do, commands = facts['problem'], '', ()
    if len(own) > 1 and framework == 'mxnet':
        text = f'{" and ".join(own)} share one folder: one is overwritten'
        do, commands = 'Uninstall all, then install one:', again
    elif 'CPU' not in facts:
        how = 'no training' if 'imports' in facts else 'no import'
        text = f'{named}: {how}: {problem}'
        do, commands = 'Do what it says, or install it again:', again
    elif 'GPU' in facts:
        text = f'{named}: trains on CPU and GPU'
    elif driver and driver.gpus:
        why = f' ({problem})' if problem else ''
        text = f'{named}: trains on the CPU, but not on the GPU{why}'
        do, commands = _way_to_gpu(framework, own, driver)
    else:
        text = f'{named}: trains on the CPU'
    facts = {**facts, 'versions': versions}
    return Check(FRAMEWORKS[framework].title, text, do, commands, facts)


def check_mxnet_2(driver: Driver | None) -> list[Check]:
    """Return what an MXNet 2 of 2026 does not go with, as its makers say.

    Their versions are such as 2.0.0+cu13.bw.20260614.
    """
    versions, found = machine.versions('mxnet'), []
    version, python = versions.get('mxnet', ''), versions['python']
    if '+' not in version:
        return []
    first, own = wheels.FIRST_DRIVER, driver.version if driver else ''
    if own and wheels.CUDA_13 in version and int(own.split('.')[0]) < first:
        text = f'fails in large matrix products with the driver {own}'
        do = f"Update NVIDIA's driver to {first} or newer."
        found.append(Check('MXNet', f'{version} {text}', do))
    if versions['numpy'].startswith('2.'):
        text = f'asks for a NumPy below 2, here is {versions["numpy"]}'
        older = platforms.pip('install', 'numpy<2')
        do = 'If it fails, take an older one:'
        found.append(Check('MXNet', f'{version} {text}', do, (older,)))
    if python.split('.')[1] not in ('11', '12'):
        text = f'is for Python 3.11 and 3.12, here is {python}'
        do = 'If it fails, take Python 3.12 (make setup PYTHON=3.12).'
        found.append(Check('MXNet', f'{version} {text}', do))
    return found


def _uninstall(packages):
    command = platforms.pip('uninstall', '--yes', *packages)
    return (command,) if packages else ()


def _way_to_gpu(framework, own, driver):
    cpu = 'On the CPU it trains with `--num-gpus 0`.'
    if os.environ.get('CUDA_VISIBLE_DEVICES') in ('', '-1'):
        hidden = 'CUDA_VISIBLE_DEVICES hides it.'
        return hidden, ('unset CUDA_VISIBLE_DEVICES',)
    if framework != 'mxnet':
        return f'{cpu} For the GPU, install a build with CUDA:', (
            *_uninstall(own),
            platforms.pip('install', *FOR_GPUS[framework]),
        )
    ways = {way(gpu.capability) for gpu in driver.gpus}
    if WAYS[5, 0] not in ways:
        return f'The way to this GPU: {" or ".join(ways)}. {cpu}', ()
    if set(own) & set(CUDA_WHEELS):
        return (
            'See that the driver is from 515.43.04 on (mxnet-cu117) or '
            f'460.27.03 on (mxnet-cu112). {cpu}'
        ), ()
    commands = platforms.install('mxnet', 'cu117')
    return 'For the GPU, change the wheel:', commands


def way(capability: tuple[int, int]) -> str:
    """Return which way leads to a GPU of this compute capability."""
    return next(WAYS[first] for first in WAYS if capability >= first)


def check_none() -> Check:
    framework = 'torch' if platforms.refusal('mxnet') else 'mxnet'
    do, commands = platforms.refusal(framework), ()
    if not do:
        do, commands = 'Install one:', platforms.install(framework)
    return Check('frameworks', 'none is installed', do, commands)


def check_gpus(
    driver: Driver | None, problem: str, needed: int
) -> list[Check]:
    """Return what is to be said of NVIDIA's driver and of each GPU."""
    start = 'start a container with `--gpus all`, a job with a GPU asked for'
    if problem:
        text = f"NVIDIA's driver does not answer: {problem}"
        do = f'After an update of it, restart the machine; {start}.'
        return [Check('driver', text, do)]
    if driver is None:
        return [Check('GPU', 'none of NVIDIA that a driver shows')]
    cuda = '.'.join(map(str, driver.cuda))
    text = f'NVIDIA {driver.version}, for CUDA up to {cuda}'
    if not driver.gpus:
        text += f', shows no GPU ({start})'
    return [
        Check('driver', text, facts=driver._asdict()),
        *(_check_gpu(i, gpu, needed) for i, gpu in enumerate(driver.gpus)),
    ]


def _check_gpu(index, gpu, needed):
    subject = f'GPU {index}'
    types = [
        each
        for each in precisions.FIRST_GPUS
        if not precisions.gpu_lacks(each, gpu.capability)
    ]
    capability = '.'.join(map(str, gpu.capability))
    text = f'{gpu.name}, compute capability {capability}'
    text += f', with {", ".join(types)}' if types else ''
    facts = {**gpu._asdict(), 'number_types': types}
    if gpu.memory is not None:
        text += f', {memory_text(gpu.free)} free of {memory_text(gpu.memory)}'
        if needed > gpu.free:
            text += f'; at least {memory_text(needed)} are needed'
            do = f'End what else uses it (`nvidia-smi` lists it), {OR_LESS}'
            return Check(subject, text, do, facts=facts)
    return Check(subject, f'{text}: {way(gpu.capability)}', facts=facts)


def check_processor() -> Check:
    cores = machine.physical_cores()
    threads = os.environ.get('OMP_NUM_THREADS', '')
    with_bfloat16 = 'with' if precisions.has_bfloat16() else 'without'
    text = f'{machine.processor()}, cores: {cores}, {with_bfloat16} bfloat16'
    if not threads.isdigit() or int(threads) >= cores:
        return Check('processor', text)
    text += f', but OMP_NUM_THREADS is {threads}'
    do = 'Unless other work needs the cores, let them be used:'
    return Check('processor', text, do, ('unset OMP_NUM_THREADS',))


def check_memory(
    name: str, experiment: Experiment, frameworks: Iterable[str]
) -> Check:
    there_is = machine.available_memory()
    needed = {f: memory.experiment_bytes(experiment, f) for f in frameworks}
    takes = f'{name} takes about ' + ', '.join(
        f'{memory_text(needed[f])} in {FRAMEWORKS[f].title}' for f in needed
    )
    if there_is is None:
        return Check('memory', f'not told by this system; {takes}')
    text = f'{memory_text(there_is)} free; {takes}'
    is_short = there_is < memory.SURE * max(needed.values())
    do = f'End other programs, {OR_LESS}' if is_short else ''
    facts = {'available': there_is, 'needed': needed}
    return Check('memory', text, do, facts=facts)


def check_disk(name: str, experiment: Experiment) -> Check:
    shape = (1, experiment.resize, experiment.resize)
    num_params = costs.totals(experiment.arch, shape).num_params
    # Parameters, and a checkpoint with momenta, of which a new one is written
    # before the old one goes
    needed = 4 * num_params * (1 + 2 * (2 if experiment.momentum else 1))
    elsewhere = 'Name another folder for the runs (--runs), or make room.'
    try:
        free = shutil.disk_usage(os.getcwd()).free
    except OSError as error:
        return Check('disk', f'not to be used: {error.strerror}', elsewhere)
    if not os.access(os.curdir, os.W_OK):
        return Check('disk', 'this folder cannot be written', elsewhere)
    text = f'{memory_text(free)} free; {name} takes {memory_text(needed)}'
    return Check('disk', text, elsewhere if free < needed else '')
