"""How many cores this process may use.

MXNet counts hardware threads instead, and not the limits of a container.
"""

import math
import os
import re


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
