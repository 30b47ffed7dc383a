"""Make MXNet 1.9.1 and 2.0.0b1 work on today's Pythons.

`import d2l_vgg.mxnet` calls `prepare()`. Then `import mxnet` and `from d2l
import mxnet as d2l` work with NumPy 1.21 to 2.5 and Python 3.10 to 3.14, find
the CUDA libraries of pip, and use every core that is free.

Both were made for the Python and the NumPy of 2021. Here it sees them, and
nobody else does: where a module of MXNet imports NumPy, it gets a copy that
has the old names, too.
"""

import builtins
import functools
import importlib.abc
import importlib.machinery
import multiprocessing.spawn
import re
import sys
import types

from d2l_vgg import cuda, machine, old_numpy

# The modules that hand numbers to MXNet's library, as text
WRITERS = {
    'mxnet._ctypes.ndarray',
    'mxnet._ctypes.symbol',
    'mxnet.io.io',
    'mxnet.symbol.symbol',
}


def prepare(all_cores=True):
    """Have MXNet prepared when it is imported; it may be called repeatedly.

    An MXNet that was imported before is left as it is. With `all_cores` it
    uses every free core, which it does not by itself.
    """
    others = [f for f in sys.meta_path if not isinstance(f, _Finder)]
    sys.meta_path[:] = [_Finder(all_cores), *others]


class _Finder(importlib.abc.MetaPathFinder):
    """Finds MXNet's modules on the path, and prepares them."""

    def __init__(self, all_cores):
        self.all_cores = all_cores

    def find_spec(self, name, path, target=None):
        if name.partition('.')[0] != 'mxnet':
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec and spec.loader:
            spec.loader.exec_module = functools.partial(
                self.run, spec.loader.exec_module
            )
        return spec

    def run(self, execute, module):
        """Run a module of MXNet by `execute`, as if it were 2021."""
        whole = module.__name__ == 'mxnet'
        if whole:
            cuda.load_libraries()
            _prepare_new_processes()
        if whole and self.all_cores:
            # MXNet takes every second processor for the second thread of a
            # core, so that half of a machine without such threads idles
            machine.use_free_cores()
        vars(module)['__builtins__'] = {
            **vars(builtins),
            '__import__': _import,
            'str': old_numpy.Str if module.__name__ in WRITERS else str,
        }
        execute(module)
        if whole:
            old_numpy.patch_mxnet()


def _import(name, *args, **kwargs):
    if name == 'distutils.version':
        # Python has none from 3.12 on, and warns of it before
        return types.SimpleNamespace(
            LooseVersion=_Version, StrictVersion=_Version
        )
    module = __import__(name, *args, **kwargs)
    return old_numpy.copy() if module.__name__ == 'numpy' else module


class _Version(tuple):
    """The numbers of a version, which compare as one expects: 1.9 < 1.10."""

    def __new__(cls, text):
        return super().__new__(cls, map(int, re.findall(r'\d+', text)))


def _prepare_new_processes():
    """Have processes that are not forked, such as loaders, come to us first.

    They are the rule from Python 3.14 on, and import MXNet by unpickling what
    they have to do; before that, they unpickle what is added here.
    """
    get_data = multiprocessing.spawn.get_preparation_data
    if get_data.__module__ != __name__:
        multiprocessing.spawn.get_preparation_data = lambda name: {
            **get_data(name),
            'prepare_mxnet': _Preparation(),
        }


class _Preparation:
    """Imports this package where it is unpickled, if it is there."""

    def __reduce__(self):
        return exec, (PREPARATION.format(sys.path), {})


PREPARATION = """
import contextlib, sys
sys.path[:] = {}
with contextlib.suppress(ImportError):
    from d2l_vgg import compatibility
    compatibility.prepare()
"""
