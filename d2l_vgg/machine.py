"""What this machine is, and which cores and memory this process may use.

MXNet counts hardware threads instead, and not the limits of a container.
"""

from __future__ import annotations

import math
import os
import platform
import re
from typing import Any

from d2l_vgg import nvml


def describe() -> dict[str, Any]:
    """Return this machine: system, processor, cores, threads, GPUs."""
    return {
        'system': f'{platform.system()} {platform.machine()}',
        'processor': processor(),
        'cores': physical_cores(),
        'threads': os.environ.get('OMP_NUM_THREADS'),
        'gpus': nvml.names(),
    }


def processor() -> str:
    """Return the name of the processor, as far as the system tells it."""
    try:
        with open('/proc/cpuinfo', encoding='utf-8') as file:
            for line in file:
                if line.startswith('model name'):
                    return line.split(':', 1)[1].strip()
    except OSError:
        pass
    return platform.machine() or 'unknown'


def physical_cores() -> int:
    """Return how many true cores this process may use, at least 1.

    Two hardware threads of one core count once. The processors that the
    process is bound to and the quota of its container are respected. Where
    the system does not tell its cores apart, every processor counts.
    """
    try:
        usable = os.sched_getaffinity(0)
    except AttributeError:  # Not Linux
        return os.cpu_count() or 1
    try:
        with open('/proc/cpuinfo') as file:
            cores = _count_cores(file.read(), usable)
    except OSError:
        cores = len(usable)
    return max(1, min(cores, _cpu_quota()))


def _count_cores(cpuinfo, usable):
    """Count the cores that the processors `usable` belong to.

    `cpuinfo` is the text of /proc/cpuinfo: one paragraph of `key : value`
    lines per processor, with its socket (physical id) and its core (core id)
    on x86, without them elsewhere.
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
    mounted; versions 2 and 1 keep quota and period in different files.
    """
    for names in (
        ['cpu.max'],
        ['cpu/cpu.cfs_quota_us', 'cpu/cpu.cfs_period_us'],
    ):
        try:
            words = []
            for name in names:
                with open(os.path.join(folder, name)) as file:
                    words += file.read().split()
            quota, period = words
        except (OSError, ValueError):
            continue
        if quota not in ('max', '-1'):
            return int(quota) // int(period)
    return math.inf


def quota_text():
    """Return what a container leaves of the processors, '' for all."""
    quota = _cpu_quota()
    if quota == math.inf:
        return ''
    left = f'{quota:g}' if quota else 'less than 1'
    return f'the container leaves {left} of {os.cpu_count()} processors'


def available_memory(folder='/sys/fs/cgroup', proc='/proc'):
    """Return the bytes that this process may still take, None if unknown.

    That is what the machine has to give, its swap included, or less where
    the process's container, or a control group around it, has a limit.
    `folder` is where control groups are mounted, `proc` where Linux tells of
    memory and processes.
    """
    try:
        with open(os.path.join(proc, 'meminfo')) as file:
            told = dict(re.findall(r'^(\w+): *(\d+) kB$', file.read(), re.M))
        found = 1024 * (int(told['MemAvailable']) + int(told['SwapFree']))
    except (OSError, KeyError):  # Not Linux, or one before 3.14
        return None
    rooms = [_group_room(group) for group in _memory_groups(folder, proc)]
    return max(0, min([found, *(r for r in rooms if r is not None)]))


def _memory_groups(folder, proc):
    """Return the folders of the control groups that this process is in."""
    try:
        with open(os.path.join(proc, 'self', 'cgroup')) as file:
            lines = file.read().splitlines()
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
    for limit, usage, cached in (
        ('memory.max', 'memory.current', ('inactive_file', 'active_file')),
        (
            'memory.limit_in_bytes',
            'memory.usage_in_bytes',
            ('total_inactive_file', 'total_active_file'),
        ),
    ):
        try:
            texts = []
            for name in (limit, usage, 'memory.stat'):
                with open(os.path.join(group, name)) as file:
                    texts.append(file.read())
            told = dict(re.findall(r'^(\w+) (\d+)$', texts[2], re.M))
            used = int(texts[1]) - sum(int(told.get(n, 0)) for n in cached)
            return int(texts[0]) - max(0, used)
        except (OSError, ValueError):  # Without a limit it says 'max'
            continue
    return None
