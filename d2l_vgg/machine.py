"""What this machine is, and which cores and memory this process may use.

MXNet counts hardware threads instead, and not the limits of a container.
"""

import contextlib
import math
import os
import platform
import re
import sys
import time
from pathlib import Path
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
    import importlib.metadata  # Slow, and of use to no other

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
    name = re.search(r'^model name\s*: (.*)$', _text('/proc/cpuinfo'), re.M)
    return name[1].strip() if name else platform.machine() or 'unknown'


def physical_cores() -> int:
    """Return how many true cores this process may use, at least 1.

    That is within what it is bound to and the quota of its container. Two
    hardware threads of one core count once, where the system tells of cores.
    """
    return max(1, min(_count_cores(processors()), _cpu_quota()))


def use_free_cores(proc: str = '/proc') -> None:
    """Let OpenMP, when it is loaded, use the cores that others leave.

    Its threads meet some hundred times a minibatch: one that shares its core
    holds up all. Whoever computes runs at every look, not only at some.
    """
    running = []  # This process included
    for _ in range(5):
        time.sleep(0.005)
        running += re.findall(r' (\d+)/', _text(f'{proc}/loadavg'))
    free = (os.cpu_count() or 1) + 1 - min(map(int, running), default=1)
    threads = max(1, min(physical_cores(), free))
    os.environ.setdefault('OMP_NUM_THREADS', str(threads))
    if 'OMP_WAIT_POLICY' not in os.environ:
        # Later processes cost less where waiting does not keep a core so long
        os.environ.setdefault('GOMP_SPINCOUNT', '30000')


def processors() -> set[int]:
    """Return the numbers of the processors that this process may use."""
    if hasattr(os, 'sched_getaffinity'):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))  # Not Linux


def _count_cores(usable, folder='/sys/devices/system/cpu'):
    siblings = 'topology/thread_siblings_list'
    return len({_text(f'{folder}/cpu{n}/{siblings}') or n for n in usable})


def _cpu_quota(folder='/sys/fs/cgroup'):
    """Return the whole processors of the container's quota, or infinity."""
    quota = _text(f'{folder}/cpu.max') or ' '.join(
        _text(f'{folder}/cpu/cpu.cfs_{name}_us')
        for name in ('quota', 'period')
    )
    numbers = re.match(r'(\d+)\s+(\d+)', quota)  # Without one, max or -1
    return int(numbers[1]) // int(numbers[2]) if numbers else math.inf


def available_memory(
    folder: str = '/sys/fs/cgroup', proc: str = '/proc'
) -> int | None:
    """Return the bytes that this process may still take, None if unknown.

    That is what the machine has to give, its swap included, or less where a
    control group of the process has a limit. `folder` is where control
    groups are mounted, `proc` where Linux tells of memory and processes.
    """
    meminfo = _text(f'{proc}/meminfo')
    found = re.findall(r'^(?:MemAvailable|SwapFree): *(\d+)', meminfo, re.M)
    if 'MemAvailable' not in meminfo:  # Not Linux
        return None
    rooms = [1024 * sum(map(int, found))]
    groups = {Path(folder), Path(folder, 'memory')}
    for controller, path in re.findall(
        r'^\d+:(memory)?:/(.*)$', _text(f'{proc}/self/cgroup'), re.M
    ):
        group = Path(folder, controller, path)
        groups |= {group, *group.parents}
    for group in groups:
        # Of version 2, and of version 1
        rooms += _room(group, 'memory.max', 'memory.current', '')
        names = 'memory.limit_in_bytes', 'memory.usage_in_bytes'
        rooms += _room(group, *names, 'total_')
    return max(0, min(rooms))


def taken_memory() -> int:
    """Return the bytes that this process holds, its libraries included."""
    held = re.search(r'VmRSS:\s*(\d+)', _text('/proc/self/status'))
    return 1024 * int(held[1]) if held else 0


def _room(group, limit, usage, total):
    """Return in a list how much below its limit a control group is."""
    limit, usage = _text(group / limit), _text(group / usage)
    if not usage or not limit.strip().isdigit():  # No file, or 'max'
        return []
    # Which is given up before anything fails
    cached = re.findall(
        rf'^{total}(?:in)?active_file (\d+)$',
        _text(group / 'memory.stat'),
        re.M,
    )
    return [int(limit) - max(0, int(usage) - sum(map(int, cached)))]


def _text(path):
    """Return the text of a file of the system, '' without one."""
    with contextlib.suppress(OSError), open(path, encoding='utf-8') as file:
        return file.read()
    return ''
