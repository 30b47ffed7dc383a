"""What is found out about PyTorch, TensorFlow and JAX, and of none at all."""

from __future__ import annotations

import importlib.util
import os

from d2l_vgg import cuda, wheels
from d2l_vgg.doctor import checks
from d2l_vgg.doctor.checks import Check
from d2l_vgg.doctor.probing import Outcome
from d2l_vgg.frameworks import FRAMEWORKS
from d2l_vgg.nvml import Driver
from d2l_vgg.platforms import refusal, refusal_of_others

# By which packages each computes on GPUs of NVIDIA, as its own pages on
# installing it say
FOR_GPUS = {
    'torch': ('torch>=2.13',),
    'tensorflow': ('tensorflow[and-cuda]>=2.21', 'keras>=3.15'),
    'jax': ('jax[cuda12]>=0.10.2', 'flax>=0.12.8', 'optax>=0.2.8'),
}


def is_there(framework: str) -> bool:
    """Return whether a framework is installed, in whatever state."""
    if framework == 'mxnet':
        return wheels.find() is not None
    if any(map(cuda.is_installed, FRAMEWORKS[framework].packages[:1])):
        return True
    try:
        spec = importlib.util.find_spec(framework)
    except ValueError:
        return False
    return bool(spec and spec.origin)


def check(
    framework: str,
    versions: dict[str, str],
    outcome: Outcome,
    driver: Driver | None,
) -> Check:
    """Return what is to be said of a framework other than MXNet.

    Args:
        framework: its name
        versions: of it and its packages, as `wheels.versions` returns them
        outcome: of the probe that trains with it
        driver: as `nvml.driver` returns it
    """
    title, _, packages = FRAMEWORKS[framework]
    own = [f'{p} {versions[p]}' for p in packages if p in versions]
    named = ', '.join(own) or 'of unknown version'
    told, problem = outcome
    facts = {
        'versions': versions,
        'problem': problem,
        'trained': sorted({'on_cpu', 'on_gpu'} & set(told)),
    }
    if 'on_gpu' in told:
        return Check(title, f'{named}: trains on CPU and GPU', facts=facts)
    if 'on_cpu' not in told:
        how = 'no training' if 'imports' in told else 'no import'
        says = checks.commands_in(problem)
        anew = (
            checks.pip('uninstall', '--yes', *_installed(framework)),
            *checks.install_framework(framework),
        )
        return Check(
            title,
            f'{named}: {how}: {problem}',
            'Do what it says:' if says else 'Install it anew:',
            says or anew,
            facts,
        )
    text = f'{named}: trains on the CPU'
    if 'sees_gpu' in told:
        return Check(
            title,
            f'{text}, but not on the GPU: {problem}',
            'On the CPU it trains with `--num-gpus 0`. For the GPU, install '
            "NVIDIA's newest driver, or a build for this GPU:",
            _for_gpus(framework),
            facts,
        )
    hidden = os.environ.get('CUDA_VISIBLE_DEVICES') in ('', '-1')
    if not driver or not driver.gpus or hidden:
        return Check(title, text, facts=facts)
    return Check(
        title,
        f'{text}, and sees no GPU',
        'For the GPU, install a build with CUDA:',
        _for_gpus(framework),
        facts,
    )


def check_none() -> Check:
    """Return what is to be said where no framework is installed."""
    commands = []
    if refusal() is None:
        commands += ['# MXNet', *checks.install_framework('mxnet')]
    if refusal_of_others() is None:
        commands += ['# PyTorch', *checks.install_framework('torch')]
    return Check(
        'frameworks',
        'none is installed',
        'Install one of them:' if commands else refusal() or '',
        tuple(commands),
    )


def _installed(framework):
    packages = FRAMEWORKS[framework].packages
    return list(filter(cuda.is_installed, packages)) or [framework]


def _for_gpus(framework):
    commands = [checks.pip('install', *FOR_GPUS[framework])]
    if framework in ('torch', 'tensorflow'):
        # pip would keep a build for the CPU of the same version
        gone = _installed(framework)
        commands.insert(0, checks.pip('uninstall', '--yes', *gone))
    return tuple(commands)
