"""What this machine is, and which cores and memory this process may use.

MXNet counts hardware threads instead, and not the limits of a container.
"""

from __future__ import annotations

import importlib.metadata
import math
import os
import platform
import re
import sys
from typing import Any

from d2l_vgg import gpus
from d2l_vgg.frameworks import FRAMEWORKS


def describe() -> dict[str, Any]:
    """Return this machine: system, processor, cores, threads, GPUs."""
    return {
        'system': f'{platform.system()} {platform.machine()}',
        'processor': processor(),
        'cores': physical_cores(),
        'threads': os.environ.get('OMP_NUM_THREADS'),
        'gpus': gpus.names(),
    }


def versions(framework: str | None) -> dict[str, str]:
    """Return the versions of Python and of the packages that compute."""
    found = {'python': platform.python_version()}
    own = FRAMEWORKS[framework].packages if framework else ()
    for package in ('d2l-vgg', 'numpy', *own):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    if framework == 'mxnet' and not any('mxnet' in name for name in found):
        # As in NVIDIA's container, where pip did not install it
        version = getattr(sys.modules.get('mxnet'), '__version__', None)
        found.update({'mxnet': version} if version else {})
    return found


def processor() -> str:
    """Return the name of the processor, as far as the system tells it."""
    try:
        (text,) = _read('/proc', 'cpuinfo')
    except OSError:
        text = ''
    name = re.search(r'^model name\s*: (.*)$', text, re.M)
    return name[1].strip() if name else platform.machine() or 'unknown'


def physical_cores() -> int:
    """Return how many true cores this process may use, at least 1.

    That is within what it is bound to and the quota of its container. Two
    hardware threads of one core count once, where the system tells of cores.
    """
    try:
        usable = os.sched_getaffinity(0)
    except AttributeError:  # Not Linux
        return os.cpu_count() or 1
    try:
        (text,) = _read('/proc', 'cpuinfo')
        cores = _count_cores(text, usable)
    except OSError:
        cores = len(usable)
    return max(1, min(cores, _cpu_quota()))


def _count_cores(cpuinfo, usable):
    """Count the cores that the processors `usable` belong to.

    `cpuinfo` is the text of /proc/cpuinfo: a paragraph for each processor,
    with its socket (physical id) and its core (core id) only on x86.
    """
    cores = set()
    for paragraph in cpuinfo.split('\n\n'):
        fields = dict(re.findall(r'^([^\t:]+?)\s*: (.*)$', paragraph, re.M))
        if fields.get('processor') in {str(number) for number in usable}:
            core = fields.get('core id', fields['processor'])
            cores.add((fields.get('physical id'), core))
    return len(cores) or len(usable)


def _cpu_quota(folder='/sys/fs/cgroup'):
    """Return the whole processors that the container's quota is worth.

    Without a quota that is infinity. `folder` is where control groups are
    mounted, of version 2 or 1.
    """
    for names in (
        ['cpu.max'],
        ['cpu/cpu.cfs_quota_us', 'cpu/cpu.cfs_period_us'],
    ):
        try:
            quota, period = ' '.join(_read(folder, *names)).split()
        except (OSError, ValueError):
            continue
        if quota not in ('max', '-1'):
            return int(quota) // int(period)
    return math.inf


def available_memory(folder='/sys/fs/cgroup', proc='/proc'):
    """Return the bytes that this process may still take, None if unknown.

    That is what the machine has to give, its swap included, or less where a
    control group of the process has a limit. `folder` is where control
    groups are mounted, `proc` where Linux tells of memory and processes.
    """
    try:
        (text,) = _read(proc, 'meminfo')
        told = dict(re.findall(r'^(\w+): *(\d+) kB$', text, re.M))
        found = 1024 * (int(told['MemAvailable']) + int(told['SwapFree']))
    except (OSError, KeyError):  # Not Linux, or one before 3.14
        return None
    rooms = [_group_room(group) for group in _memory_groups(folder, proc)]
    return max(0, min([found, *(r for r in rooms if r is not None)]))


def _memory_groups(folder, proc):
    """Return the folders of the control groups that this process is in."""
    try:
        lines = _read(proc, 'self/cgroup')[0].splitlines()
    except OSError:
        lines = []
    groups = [folder, os.path.join(folder, 'memory')]
    for line in lines:
        _, controllers, path = line.split(':', 2)
        if controllers not in ('', 'memory'):
            continue
        group = os.path.join(folder, controllers)
        for name in filter(None, path.split('/')):
            group = os.path.join(group, name)
            groups.append(group)
    return groups


def _group_room(group):
    """Return how much below its limit a control group is, None if nothing.

    What it has cached of files is given up before anything fails. Versions 2
    and 1 have other names for the same.
    """
    for names, total in (
        (('memory.max', 'memory.current'), ''),
        (('memory.limit_in_bytes', 'memory.usage_in_bytes'), 'total_'),
    ):
        try:
            limit, usage, told = _read(group, *names, 'memory.stat')
            files = rf'^{total}(?:in)?active_file (\d+)$'
            cached = sum(map(int, re.findall(files, told, re.M)))
            return int(limit) - max(0, int(usage) - cached)
        except (OSError, ValueError):  # Without a limit it says 'max'
            continue
    return None


def _read(folder, *names):
    """Return the texts of files in a folder."""
    texts = []
    for name in names:
        with open(os.path.join(folder, name), encoding='utf-8') as file:
            texts.append(file.read())
    return texts
