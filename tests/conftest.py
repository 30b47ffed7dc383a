"""What the tests share: one thread, two workers, and nothing left behind."""

import contextlib
import copy
import functools
import gc
import importlib.util
import math
import os
import re
import shutil
import signal
import sys
import tempfile

import pytest
from xdist.scheduler import LoadScopeScheduling

from d2l_vgg import compatibility
from d2l_vgg.commands import making
from d2l_vgg.datasets import fashion_mnist

# Many tests import MXNet before anything else
compatibility.prepare()

# So that their assertions tell the values, too
pytest.register_assert_rewrite('command_line')

# What a reader has set for his own trainings is not what is tested
os.environ.pop('D2L_VGG_TRIAL', None)

FRAMEWORKS = [
    name
    for name in ('mxnet', 'torch', 'tensorflow', 'jax')
    if importlib.util.find_spec(name)
]

# The tests run side by side, where more threads would wait for each other
ONE_THREAD = {
    'OMP_NUM_THREADS': '1',
    'OPENBLAS_NUM_THREADS': '1',
    'TF_NUM_INTRAOP_THREADS': '1',
    'TF_NUM_INTEROP_THREADS': '1',
    # Compiling takes most of what tests of JAX take, a third where little of
    # it is made faster
    'XLA_FLAGS': '--xla_cpu_multi_thread_eigen=false '
    '--xla_backend_optimization_level=1',
}

# No test is to take more than a small machine has
MAX_MEMORY = 4e9

# In the environment of each process that a test starts
MARK = 'D2L_VGG_TESTS'

# Many tests ask for the same images, which take half a second to unpack
unpack = fashion_mnist.load
unpack_once = functools.lru_cache(maxsize=1)(unpack)


def load(root=None):
    return unpack(root) if root is not None else copy.deepcopy(unpack_once())


fashion_mnist.load = load


def is_worker(config):
    """Return whether this is one of the processes that xdist has started."""
    return hasattr(config, 'workerinput')


def pytest_configure(config):
    if is_worker(config):
        return
    os.environ.update(ONE_THREAD)
    # What JAX has compiled serves the next session, too; it looks into these
    # variables when it is imported
    os.environ['JAX_COMPILATION_CACHE_DIR'] = os.path.join(
        config.rootpath, '.pytest_cache', 'compiled'
    )
    os.environ['JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS'] = '0'
    os.environ['JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES'] = '-1'
    # Whatever a test leaves in the folder for temporary files goes with it
    os.environ['PYTEST_DEBUG_TEMPROOT'] = tempfile.gettempdir()
    config.temporary = tempfile.mkdtemp(prefix='d2l_vgg-')
    os.environ['TMPDIR'] = tempfile.tempdir = config.temporary
    os.environ[MARK] = str(os.getpid())


def pytest_unconfigure(config):
    if not is_worker(config):
        shutil.rmtree(config.temporary, ignore_errors=True)


def pytest_xdist_make_scheduler(config, log):
    return Groups(config, log)


class Groups(LoadScopeScheduling):
    """Keeps together what shares fixtures or an import that takes time.

    (xdist 3.8 has groups, too, but since pytest 9.2 they are passed over.)
    """

    def _split_scope(self, nodeid):
        """Return the group of a test: its file or its framework.

        Where all frameworks are installed, the tests of each run in one
        worker, so that no process holds more of them than it must.
        """
        path, _, name = nodeid.partition('::')
        *_, folder, file = path.split('/')
        if len(FRAMEWORKS) > 1:
            words = re.split(r'\W+', f'{folder} {name}')
            words = ['torch' if word == 'pytorch' else word for word in words]
            found = [name for name in FRAMEWORKS if name in words]
            if len(found) == 1:
                return found[0]
        # They share the chapter that was built
        return 'test_chapter.py' if file == 'test_page.py' else file


@pytest.fixture(autouse=True, scope='session')
def without_estimate():
    """Do not find out how long the book would take: that takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(making, 'estimate_seconds', lambda *args: 7200)
        yield


@pytest.fixture(autouse=True, scope='module')
def networks_are_freed():
    """Free those that nothing uses any more.

    Their layers hold each other, so that they stay until Python looks for
    such circles. It counts objects, not bytes: beside the million objects of
    some imported frameworks, gigabytes of networks are next to none.
    """
    yield
    gc.collect()


@pytest.fixture(autouse=True)
def memory_is_bounded():
    """Fail if a test takes too much beside what those before have left."""
    try:
        with open('/proc/self/clear_refs', 'w') as file:
            file.write('5')  # Sets the peak to what is held now
        before = memory('VmRSS')
    except OSError:  # Not Linux, or not allowed
        before = math.inf
    yield
    taken = memory('VmHWM') - before if before < math.inf else 0
    if taken > MAX_MEMORY:
        pytest.fail(f'This test has taken {taken / 1e9:.1f} GB.')


def memory(name):
    """Return a number of bytes that the system tells of this process."""
    with open('/proc/self/status') as file:
        return 1024 * int(re.search(rf'{name}:\s+(\d+)', file.read())[1])


def pytest_sessionfinish(session):
    """Fail if a process that a test has started is still there."""
    if is_worker(session.config):
        return
    left = dict(processes_left())
    for pid, command in left.items():
        print(f'A test has left process {pid}: {command}', file=sys.stderr)
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    if left and session.exitstatus == 0:
        session.exitstatus = 1


def processes_left():
    """Iterate over the processes of this session that are not its own."""
    wanted = f'{MARK}={os.environ[MARK]}'.encode()
    for name in os.listdir('/proc') if os.path.isdir('/proc') else ():
        if not name.isdigit() or int(name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            with open(f'/proc/{name}/environ', 'rb') as file:
                if wanted not in file.read().split(b'\0'):
                    continue
            with open(f'/proc/{name}/cmdline', 'rb') as file:
                command = file.read().replace(b'\0', b' ').decode()
            if command and 'execnet' not in command:
                yield int(name), command
