"""What is found out about NVIDIA's driver and the GPUs."""

from __future__ import annotations

import glob
import os
import sys
from typing import Any

from d2l_vgg import nvml
from d2l_vgg.doctor import ways
from d2l_vgg.doctor.checks import Check
from d2l_vgg.networks.costs import memory_text
from d2l_vgg.nvml import Driver, Gpu
from d2l_vgg.training import precisions

IN_A_CONTAINER = (
    'in a container, start that with `--gpus all` (NVIDIA Container Toolkit)'
)


def read_driver(facts: dict[str, Any]) -> Driver | None:
    """Return the driver that the probe `driver` has told of, if any."""
    told = facts.get('driver')
    if not told:
        return None
    gpus = [
        Gpu(name, (capability[0], capability[1]), memory, free)
        for name, capability, memory, free in told['gpus']
    ]
    return Driver(
        told['version'],
        (told['cuda'][0], told['cuda'][1]),
        tuple(gpus),
        tuple(told['broken']),
    )


def check(
    driver: Driver | None, problem: str, needed: int | None
) -> list[Check]:
    """Return what is to be said of the driver and of each GPU.

    Args:
        driver: as `nvml.driver` returns it
        problem: why it could not be asked, if it could not
        needed: the bytes that the experiment takes at the least
    """
    if problem:
        return [
            Check(
                'GPU',
                f"NVIDIA's driver does not answer: {problem}",
                'Restart the machine; if that does not help, install the '
                f'driver anew; {IN_A_CONTAINER}.',
            )
        ]
    if driver is None:
        return [_without_driver()]
    found = [
        Check(
            'driver',
            f'NVIDIA {driver.version}, for CUDA up to '
            f'{ways.dotted(driver.cuda)}',
            facts={'version': driver.version, 'cuda': list(driver.cuda)},
        )
    ]
    for i, gpu in enumerate(driver.gpus):
        found.append(_gpu(f'GPU {i}', gpu, needed))
    for broken in driver.broken:
        found.append(
            Check(
                broken.split(':')[0],
                f'does not answer ({broken.split(": ", 1)[-1]})',
                'Restart the machine; the driver has lost this GPU.',
            )
        )
    if not driver.gpus and not driver.broken:
        found.append(
            Check(
                'GPU',
                'the driver shows none',
                f'If there is one: {IN_A_CONTAINER}.',
            )
        )
    return found


def _gpu(subject, gpu, needed):
    text = f'{gpu.name}, compute capability {ways.dotted(gpu.capability)}'
    kinds = number_types(gpu)
    text += f', with {", ".join(kinds)}' if kinds else ''
    facts = {**gpu._asdict(), 'number_types': kinds}
    if gpu.memory is None:
        return Check(subject, f"{text}, the machine's memory", facts=facts)
    text += f', {memory_text(gpu.free)} free of {memory_text(gpu.memory)}'
    if needed is None or needed <= gpu.free:
        return Check(subject, text, facts=facts)
    return Check(
        subject,
        f'{text}: the experiment takes at least {memory_text(needed)}',
        'End what else uses this GPU (`nvidia-smi` lists it), or take '
        'smaller minibatches (--batch-size) or images (--resize).',
        facts=facts,
    )


def number_types(gpu: Gpu) -> list[str]:
    """Return what a GPU computes in besides float32; TF32 is within that."""
    return [
        name
        for name in precisions.FIRST_GPUS
        if not precisions.lack_of_gpu(name, gpu.capability)
        # Heeded by NVIDIA's libraries, whatever the framework
        and (name, os.environ.get('NVIDIA_TF32_OVERRIDE')) != ('TF32', '0')
    ]


def _without_driver():
    if sys.platform != 'linux':
        return Check('GPU', "NVIDIA's are looked for on Linux only")
    if not has_nvidia_device():
        return Check('GPU', 'none of NVIDIA; the CPU computes')
    return Check(
        'GPU',
        'this machine has one of NVIDIA, but no driver is to be seen',
        "Install NVIDIA's driver and restart the machine; "
        f'{IN_A_CONTAINER}. Without it the CPU computes.',
        facts={'library': nvml.LIBRARY},
    )


def has_nvidia_device(folder: str = '/sys/bus/pci/devices') -> bool:
    """Return whether a graphics card or accelerator of NVIDIA is plugged in.

    `folder` is where Linux tells of the devices.
    """
    for device in glob.glob(os.path.join(folder, '*')):
        try:
            with open(os.path.join(device, 'vendor')) as file:
                vendor = file.read().strip()
            with open(os.path.join(device, 'class')) as file:
                kind = file.read().strip()
        except OSError:
            continue
        # 0x03 are display controllers, as which computing ones pass, too
        if vendor == '0x10de' and kind.startswith('0x03'):
            return True
    return False
