"""What is found out about MXNet: its wheel, its library, its way to a GPU."""

from __future__ import annotations

import os
import platform
from typing import NamedTuple

from d2l_vgg import wheels
from d2l_vgg.doctor import checks, fat_binaries, gpu_checks, ways
from d2l_vgg.doctor.checks import Check
from d2l_vgg.doctor.fat_binaries import Capabilities
from d2l_vgg.doctor.probing import Outcome
from d2l_vgg.nvml import Driver
from d2l_vgg.wheels import MXNet

RUN_ON_CPU = 'On the CPU it trains with `--num-gpus 0`.'


class Library(NamedTuple):
    """MXNet's library: for which GPUs it has code, or what is wrong with it.

    `code` is None where it could not be read; `missing` are those pairs of
    `cuda.LIBRARIES` that are not to be found.
    """

    code: Capabilities | None
    problem: str = ''
    missing: tuple = ()

    @property
    def is_for_gpus(self) -> bool:
        return bool(self.code and any(self.code))


def read_library(installed: MXNet) -> Library:
    """Return what the library of an installed MXNet holds."""
    if installed.library is None:
        return Library(None, 'its library libmxnet.so is not there')
    try:
        return Library(fat_binaries.read(installed.library))
    except (fat_binaries.Damaged, OSError) as error:
        if platform.system() == 'Darwin':  # Other files, and no GPUs
            return Library(Capabilities((), ()))
        text = getattr(error, 'strerror', None) or str(error)
        name = os.path.basename(installed.library)
        return Library(None, f'{name} is damaged: {text}')


def check(
    installed: MXNet,
    library: Library,
    outcome: Outcome,
    driver: Driver | None,
) -> list[Check]:
    """Return what is to be said of MXNet.

    Args:
        installed: as `wheels.find` returns it
        library: as `read_library` returns it, with what is missing
        outcome: of the probe that trains with it
        driver: as `nvml.driver` returns it
    """
    facts = {
        **installed._asdict(),
        'code': library.code and library.code._asdict(),
        'missing': [name for _, name in library.missing],
        'trained': sorted({'on_cpu', 'on_gpu'} & set(outcome.facts)),
    }
    named = ' and '.join(installed.wheels) or 'not installed by pip,'
    named += f' {installed.version or "of unknown version"}'
    problem = _problem(installed, library, outcome, driver)
    if problem:
        text, do, commands = problem
        found = [Check('MXNet', f'{named}: {text}', do, commands, facts)]
    else:
        found = [Check('MXNet', f'{named}: trains on the CPU', facts=facts)]
    if driver and driver.gpus and not (installed.wheels[1:]):
        found.append(_on_gpus(installed, library, outcome, driver))
    return found


def fitting_wheel(driver: Driver | None) -> str:
    """Return the wheel of MXNet that is the best for a machine."""
    if (
        driver
        and platform.machine() == 'x86_64'
        and any(ways.WHEEL_CODE.run_on(gpu.capability) for gpu in driver.gpus)
    ):
        return 'mxnet-cu117'
    return 'mxnet'


def _problem(installed, library, outcome, driver):
    """Return why MXNet does not train on the CPU, what to do, and how.

    None where it does, and will.
    """
    best = fitting_wheel(driver)
    if installed.wheels[1:]:
        return (
            'these wheels share one folder, and one has overwritten the '
            'other',
            'Uninstall all, then install one:',
            checks.install_mxnet(best, gone=wheels.WHEELS),
        )
    if 'on_cpu' in outcome.facts:
        return None
    if not installed.wheels:
        return (
            library.problem or _how(outcome),
            'pip did not install it, and no wheel of pip is to come over it: '
            'mend it where it came from; ' + gpu_checks.IN_A_CONTAINER + '.',
            checks.commands_in(outcome.problem),
        )
    anew = checks.install_mxnet(best, gone=installed.wheels)
    if installed.folder is None:
        return (
            'pip lists it, but its files are gone, as after uninstalling '
            'another wheel of it',
            'Install it anew:',
            anew,
        )
    if library.problem:
        return library.problem, 'Install it anew:', anew
    if library.is_for_gpus and not _fitting(library.code, driver):
        why = 'none here can run it' if driver else 'there is no driver'
        way = '' if driver else 'the driver, or '
        return (
            f'it is built for GPUs of NVIDIA, and {why}',
            f'Install {way}MXNet for the CPU:',
            checks.install_mxnet('mxnet', gone=installed.wheels),
        )
    if library.missing:
        names = ', '.join(name for _, name in library.missing)
        folders = [folder for folder, _ in library.missing]
        return (
            f'CUDA libraries are missing: {names}',
            'Install them:',
            (checks.pip('install', *checks.cuda_packages(folders)),),
        )
    told = checks.commands_in(outcome.problem)
    return (
        _how(outcome),
        'Do what it says:' if told else 'Install it anew:',
        told or anew,
    )


def _how(outcome):
    how = 'no training' if 'imports' in outcome.facts else 'no import'
    return f'{how}: {outcome.problem}'


def _fitting(code, driver):
    """Return the numbers of the GPUs that can run the code."""
    gpus = driver.gpus if driver else ()
    return [i for i, gpu in enumerate(gpus) if code.run_on(gpu.capability)]


def _on_gpus(installed, library, outcome, driver):
    """Return what is to be said of MXNet and the GPUs that are here."""
    subject = 'MXNet, GPU'
    if 'on_gpu' in outcome.facts:
        return Check(subject, 'trains on the GPU')
    if library.code is None:
        return Check(subject, 'not to be told without its library')
    if not library.is_for_gpus:
        return _without_gpu_code(subject, driver)
    code = library.code
    held = ', '.join(map(ways.dotted, code.machine_code + code.ptx))
    fitting = _fitting(code, driver)
    if not fitting:
        return Check(
            subject,
            f'its library has code for compute capability {held}, which '
            f'cannot run on {_names(driver)}',
            *_other_ways(driver),
        )
    if old_driver(installed, driver):
        return Check(subject, *old_driver(installed, driver))
    if len(fitting) < len(driver.gpus):
        return Check(
            subject,
            f'its library has code for compute capability {held}, which '
            'cannot run on all GPUs here',
            'Show it one that fits:',
            (
                'export CUDA_DEVICE_ORDER=PCI_BUS_ID '
                f'CUDA_VISIBLE_DEVICES={fitting[0]}',
            ),
        )
    if 'imports' not in outcome.facts:
        return Check(
            subject, 'its library has code for this GPU, once it loads'
        )
    return Check(
        subject,
        outcome.problem or 'it sees no GPU',
        f'See that CUDA_VISIBLE_DEVICES does not hide it, and that the '
        f'driver is from {_whole_driver(installed)} on, which all of its '
        f'CUDA runs with. {RUN_ON_CPU}',
    )


def _names(driver):
    names = dict.fromkeys(
        f'{gpu.name} ({ways.dotted(gpu.capability)})' for gpu in driver.gpus
    )
    return ' or '.join(names)


def old_driver(installed: MXNet, driver: Driver) -> tuple[str, str] | None:
    """Return what is wrong and what to do where a driver is too old.

    None where it is not, or where it is not known what MXNet's CUDA needs.
    """
    wheel = ways.WHEELS.get(installed.wheels[0] if installed.wheels else '')
    if not wheel or ways.numbers(driver.version) >= ways.LEAST_DRIVER:
        return None
    return (
        f'the driver {driver.version} is too old for CUDA {wheel.cuda}',
        'Install a driver from 450.80.02 on, at best from '
        f'{wheel.whole_driver[0]} on, which all of CUDA {wheel.cuda} runs '
        'with.',
    )


def _whole_driver(installed):
    """Return the first driver that runs all of the wheel's CUDA, in short."""
    for name in installed.wheels:
        if name in ways.WHEELS:
            return ways.WHEELS[name].whole_driver[0]
    return 'the release that its CUDA came with'


def _without_gpu_code(subject, driver):
    text = 'this MXNet is built for the CPU'
    if fitting_wheel(driver) != 'mxnet':
        return Check(
            subject,
            f'{text}; there is a wheel for {_names(driver)}',
            'For the GPU, change the wheel:',
            checks.install_mxnet('mxnet-cu117', gone=('mxnet',)),
        )
    return Check(subject, text, *_other_ways(driver))


def _other_ways(driver):
    """Return what to do, and by which commands, where no wheel fits."""
    if any(
        ways.mxnet_way(gpu.capability) == 'container' for gpu in driver.gpus
    ):
        return (
            "Take NVIDIA's container of MXNet, by the Dockerfile of this "
            f'project, or PyTorch or JAX. {RUN_ON_CPU}',
            (
                '# MXNet, in the folder of this project',
                *ways.CONTAINER_COMMANDS,
                '# PyTorch',
                *checks.install_framework('torch'),
            ),
        )
    return (
        f'Take PyTorch or JAX. {RUN_ON_CPU}',
        checks.install_framework('torch'),
    )
