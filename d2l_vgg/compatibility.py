"""Make MXNet 1.9.1, the last of its kind, work on today's Pythons.

`import d2l_vgg` calls `prepare()`. From then on `import mxnet` and `from d2l
import mxnet as d2l` work with NumPy 1.17 to 2.5 and Python 3.8 to 3.14, find
the CUDA libraries of pip, and use every core that they may.

MXNet was made for the Python and the NumPy of 2021. Here it sees them, and
nobody else does: where a module of MXNet imports NumPy, it gets a copy that
has the old names, too.
"""

import builtins
import functools
import importlib.abc
import multiprocessing.spawn
import os
import re
import sys
import types

from d2l_vgg import cuda
from d2l_vgg.machine import physical_cores

# The modules that hand numbers to MXNet's library, as text
WRITERS = {
    'mxnet._ctypes.ndarray',
    'mxnet._ctypes.symbol',
    'mxnet.io.io',
    'mxnet.symbol.symbol',
}


def prepare(all_cores=True):
    """Have MXNet prepared whenever it will be imported.

    Imports nothing, changes nothing else, and may be called any number of
    times. An MXNet that was imported before is left as it is.

    Args:
        all_cores: tell MXNet to use every core, which it does not by itself
    """
    sys.meta_path[:] = [
        finder for finder in sys.meta_path if not isinstance(finder, _Finder)
    ]
    sys.meta_path.insert(0, _Finder(all_cores))


class _Finder(importlib.abc.MetaPathFinder):
    """Finds MXNet's modules where the other finders do, and prepares them."""

    def __init__(self, all_cores):
        self.all_cores = all_cores

    def find_spec(self, name, path, target=None):
        if name.partition('.')[0] != 'mxnet':
            return None
        for finder in sys.meta_path:
            spec = finder is not self and finder.find_spec(name, path, target)
            if spec and spec.loader:
                spec.loader.exec_module = functools.partial(
                    self.run, spec.loader.exec_module
                )
                return spec
        return None

    def run(self, execute, module):
        """Run a module of MXNet by `execute`, as if it were 2021."""
        whole = module.__name__ == 'mxnet'
        if whole:
            _prepare_process(self.all_cores)
        vars(module)['__builtins__'] = {
            **vars(builtins),
            '__import__': _import,
            'str': _OldStr if module.__name__ in WRITERS else str,
        }
        execute(module)
        if whole:
            _keep_named_tuples()


def _prepare_process(all_cores):
    """Provide what MXNet needs of the process, before it is imported."""
    if all_cores:
        # MXNet takes every second processor for the second thread of a core
        # and uses half of what it sees, so that half of a machine without
        # such threads idles. It reads the variable once, when it is imported
        os.environ.setdefault('OMP_NUM_THREADS', str(physical_cores()))
    cuda.load_libraries()
    _prepare_new_processes()


def _import(name, *args, **kwargs):
    """Import a module for MXNet, as the statement `import` does."""
    if name == 'distutils.version':
        # Python has none from 3.12 on, and warns of it before
        return types.SimpleNamespace(
            LooseVersion=_Version, StrictVersion=_Version
        )
    module = __import__(name, *args, **kwargs)
    return _old_numpy() if module.__name__ == 'numpy' else module


class _Version(tuple):
    """The numbers of a version, which compare as one expects: 1.9 < 1.10."""

    def __new__(cls, text):
        return super().__new__(cls, map(int, re.findall(r'\d+', text)))


@functools.lru_cache(maxsize=None)
def _old_numpy():
    """Return a copy of NumPy that has all that MXNet reads.

    NumPy 1.24 lost `bool` and `int`, 2.0 most of the others, 2.4 two more.
    The `bool` of NumPy 2 is another type, and that of 1.20 to 1.23 warns at
    each use.
    """
    import numpy

    old = types.ModuleType('numpy', 'NumPy with the names that MXNet reads')
    vars(old).update(_old_names(numpy))
    vars(old).update(vars(numpy))
    old.bool, old.int = bool, int
    # Submodules that NumPy imports when they are asked for
    old.__getattr__ = functools.partial(getattr, numpy)
    return old


def _old_names(numpy):
    names = {
        **dict.fromkeys(['Inf', 'PINF'], numpy.inf),
        **dict.fromkeys(['NAN', 'NaN'], numpy.nan),
        'NINF': -numpy.inf,
        'PZERO': 0.0,
        'NZERO': -0.0,
        'compat': types.SimpleNamespace(basestring=str),
    }
    # MXNet tells functions apart by identity, so each has its own
    for name, function in {
        'alltrue': numpy.all,
        'in1d': lambda ar1, ar2, *args, **kwargs: numpy.isin(
            numpy.ravel(ar1), ar2, *args, **kwargs
        ),
        'msort': lambda a: numpy.sort(a, axis=0),
        'product': numpy.prod,
        'round_': numpy.round,
        'sometrue': numpy.any,
        # Of the same name before NumPy 2
        'trapz': getattr(numpy, 'trapezoid', None),
        # NumPy 1.17 has them, later ones only a message
        **dict.fromkeys(['mirr', 'npv', 'pmt', 'ppmt', 'pv', 'rate'], _gone),
    }.items():
        names[name] = _old_function(function, name)
    return names


def _old_function(function, name):
    """Return `function` under the old `name`, open to MXNet's arrays.

    As NumPy does with functions of its own, it is handed to the array that
    has a method `__array_function__`.
    """

    def old(*args, **kwargs):
        for value in [*args, *kwargs.values()]:
            kind = type(value)
            if kind.__module__.partition('.')[0] == 'mxnet':
                return value.__array_function__(
                    value, old, [kind], args, kwargs
                )
        return function(*args, **kwargs)

    old.__name__ = old.__qualname__ = name
    return old


def _gone(*args, **kwargs):
    raise RuntimeError(
        'NumPy has no financial functions since version 1.20: use those of '
        'the package numpy-financial.'
    )


class _Instances(type(str)):
    def __instancecheck__(cls, value):
        return isinstance(value, str)


class _OldStr(str, metaclass=_Instances):
    """The function `str` as it was with NumPy 1.

    The parameters of an operator go to MXNet's library as text, and of
    `(np.int64(3), 2)`, which is how NumPy 2 writes this tuple, it understands
    nothing.
    """

    def __new__(cls, value=''):
        text = str(value)
        if 'np.' in text and not isinstance(value, str):
            import numpy

            if numpy.lib.NumpyVersion(numpy.__version__) >= '2.0.0':
                with numpy.printoptions(legacy='1.25'):
                    return str(value)
        return text


def _keep_named_tuples():
    """Let MXNet pass on the named tuples that NumPy returns since 1.25.

    It makes a tuple anew with `type(value)(items)`, which theirs refuse.
    """
    from mxnet.numpy import multiarray

    convert = multiarray._as_mx_np_array

    def as_mx_np_array(value, ctx=None):
        if isinstance(value, tuple) and hasattr(value, '_make'):
            return value._make(as_mx_np_array(item, ctx) for item in value)
        return convert(value, ctx)

    multiarray._as_mx_np_array = as_mx_np_array


def _prepare_new_processes():
    """Have processes that start anew, such as loaders, come to us first.

    A forked process has the MXNet of its parent. One that is started anew,
    which is the rule from Python 3.14 on, imports it by unpickling what it
    has to do; before that, it unpickles what is added here.
    """
    get_data = multiprocessing.spawn.get_preparation_data
    if isinstance(get_data, functools.partial):
        return
    multiprocessing.spawn.get_preparation_data = functools.partial(
        _preparation_data, get_data
    )


def _preparation_data(get_data, name):
    data = get_data(name)
    data['prepare_mxnet'] = _Preparation(data.get('sys_path', sys.path))
    return data


class _Preparation:
    """Imports this package where it is unpickled, if it is there."""

    def __init__(self, path):
        self.code = (
            'import sys\n'
            f'sys.path[:] = {list(path)!r}\n'
            'try:\n'
            '    import d2l_vgg\n'
            'except ImportError:\n'
            '    pass\n'
        )

    def __reduce__(self):
        return exec, (self.code, {})
