"""Make MXNet 1.9.1, the last of its kind, work on today's Pythons.

`import d2l_vgg` calls `prepare()`, and from then on `import mxnet` and
`from d2l import mxnet as d2l` work with NumPy 1.24 to 1.26 and Python 3.12,
find the CUDA libraries of pip, and use every core that they may.
"""

import importlib.util
import math
import os
import re
import sys
import types

import numpy

from d2l_vgg import cuda


def prepare():
    """Provide what MXNet misses; it must not have been imported before.

    Sets `numpy.bool`, the module `distutils.version` and the environment
    variable `OMP_NUM_THREADS`, each only where it is missing. Imports no
    framework, and may be called any number of times.
    """
    # NumPy 1.20 to 1.23 have `numpy.bool` with a warning at each use, 1.24 to
    # 1.26 not at all. A look into `vars` triggers no warning
    if 'bool' not in vars(numpy):
        numpy.bool = bool
    # Python 3.12 has no `distutils`, but setuptools brings one
    if sys.version_info >= (3, 12) and not importlib.util.find_spec(
        'setuptools'
    ):
        for module in _distutils():
            sys.modules.setdefault(module.__name__, module)
    # MXNet takes every second processor for the second thread of a core and
    # uses half of what it sees, so that half of a machine without such
    # threads idles. It reads the variable once, when it is imported
    if 'mxnet' not in sys.modules:
        os.environ.setdefault('OMP_NUM_THREADS', str(physical_cores()))
        cuda.load_libraries()


def physical_cores():
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


class _Version(tuple):
    """The numbers of a version, which compare as one expects: 1.9 < 1.10."""

    def __new__(cls, text):
        return super().__new__(cls, map(int, re.findall(r'\d+', text)))


def _distutils():
    """Return a stand-in for `distutils` and its module `version`.

    It holds only the two classes that MXNet takes from there, to compare
    versions of NumPy.
    """
    package = types.ModuleType('distutils')
    package.version = types.ModuleType('distutils.version')
    package.version.LooseVersion = _Version
    package.version.StrictVersion = _Version
    return package, package.version
