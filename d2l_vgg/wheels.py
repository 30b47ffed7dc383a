"""Wheels of MXNet that one brings oneself: what they need, and have here.

`python -m d2l_vgg.wheels WHEEL PINS` prints why one cannot work, without
words what the installed MXNet needs beside NumPy, by the tools of pip.
"""

import importlib.metadata
import os
import subprocess
import sys
import tempfile
import venv
from urllib.parse import unquote

# In the versions of github.com/smolix/mxnet for CUDA 13, and the first driver
# of NVIDIA's that these take: with 580, large matrix products fail
CUDA_13 = '+cu13'
FIRST_DRIVER = 590


def refusal(wheel: str, pins: str) -> str | None:
    """Return why a wheel cannot work here and what to do, or None.

    Args:
        wheel: its path, or its address, of which only the name is read
        pins: the path of the versions that are installed with it
    """
    from pip._vendor.packaging import tags, utils

    name, needs = wheel.rpartition('/')[2], {}
    try:
        if '://' in wheel:
            name = unquote(name)
        else:
            (content,) = importlib.metadata.distributions(path=[wheel])
            needs = _that_hold(content.requires or [])
        package, *_, builds = utils.parse_wheel_filename(name)
    except Exception:  # Damage shows in a dozen ways
        package = utils.canonicalize_name('damaged')
    if 'mxnet' not in package:
        return (
            f'{wheel} is not there, or is no wheel of MXNet: give the path '
            'or the address of one, named as it was published.'
        )
    if builds.isdisjoint(tags.sys_tags()):
        build, here = min(builds, key=str), next(tags.sys_tags())
        return (
            f'{name} is for {build.interpreter} on {build.platform}, here is '
            f'{here.interpreter} on {here.platform}: take another wheel, or '
            'ask for its Python (such as PYTHON=3.12).'
        )
    if CUDA_13 in name and (driver := _driver()) < FIRST_DRIVER:
        return (
            f"{name} takes NVIDIA's driver {FIRST_DRIVER} or newer, here is "
            f'{driver}: update the driver, or take another wheel.'
        )
    with open(pins, encoding='utf-8') as file:
        (pin,) = _that_hold(file)['numpy'].specifier
    for limit in needs['numpy'].specifier if 'numpy' in needs else ():
        # Of a NumPy that is too new MXNet sees an older one
        if limit.operator in ('>', '>=') and not limit.contains(pin.version):
            return (
                f'{name} takes {needs["numpy"]}, with this Python comes '
                f'{pin.version}: ask for a newer one (such as PYTHON=3.13).'
            )
    return None


def _that_hold(lines):
    """Return the requirements of `lines` that hold here, by name."""
    from pip._vendor.packaging.requirements import Requirement

    return {
        each.name: each
        for each in map(Requirement, lines)
        if each.marker is None or each.marker.evaluate({'extra': ''})
    }


def _driver():
    """Return the number of NVIDIA's driver, a large one if it is not told."""
    ask = 'nvidia-smi', '--query-gpu=driver_version', '--format=csv,noheader'
    try:
        told = subprocess.run(ask, capture_output=True, timeout=60).stdout
        return int(told.partition(b'.')[0])
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return sys.maxsize


def refusal_by_new_pip(wheel: str, pins: str) -> str:
    """Return `refusal(wheel, pins)` or '', for a Python without a pip."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, symlinks=True, with_pip=True)
        python = os.path.join(folder, 'bin', 'python')
        words = [python, '-m', 'd2l_vgg.wheels', wheel, pins]
        return subprocess.check_output(words, text=True).strip()


if __name__ == '__main__':
    if sys.argv[1:]:
        print(refusal(*sys.argv[1:]) or '')
    else:
        (name,) = set(importlib.metadata.packages_distributions()['mxnet'])
        needs = _that_hold(importlib.metadata.requires(name) or [])
        print(*(needs[n] for n in needs if n != 'numpy'), sep='\n')
