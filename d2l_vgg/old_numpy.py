"""The NumPy that MXNet was made for, on top of the one that is installed.

`copy()` has the names that NumPy has lost, `Str` writes numbers as NumPy 1
did, and `patch_mxnet()` does what these two cannot.
"""

import functools
import types


@functools.cache
def copy():
    """Return a copy of NumPy that has all that MXNet reads.

    NumPy 1.24 lost `bool` and `int`, 2.0 most of the others, 2.4 two more.
    The `bool` of NumPy 2 is another type.
    """
    import numpy

    # MXNet tells functions apart by identity, so each has its own
    functions = {
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
        **dict.fromkeys(['mirr', 'npv', 'pmt', 'ppmt', 'pv', 'rate'], _gone),
    }
    old = types.ModuleType('numpy', 'NumPy with the names that MXNet reads')
    vars(old).update(
        **dict.fromkeys(['Inf', 'PINF'], numpy.inf),
        **dict.fromkeys(['NAN', 'NaN'], numpy.nan),
        NINF=-numpy.inf,
        PZERO=0.0,
        NZERO=-0.0,
        compat=types.SimpleNamespace(basestring=str),
        **{name: _old(functions[name], name) for name in functions},
    )
    vars(old).update(vars(numpy))
    old.bool, old.int = bool, int
    return old


def _old(function, name):
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
    old.__doc__ = f'As that of NumPy 1.23, {name}.'  # MXNet 2 adds to it
    old.__module__ = 'mxnet.numpy.fallback'  # Where pickle finds it
    return old


def _gone(*args, **kwargs):
    raise RuntimeError(
        'NumPy has no financial functions since version 1.20: use those of '
        'the package numpy-financial.'
    )


class _Instances(type(str)):
    def __instancecheck__(cls, value):
        return isinstance(value, str)


class Str(str, metaclass=_Instances):
    """The function `str` as it was with NumPy 1.

    The parameters of an operator go to MXNet's library as text, which does
    not understand NumPy 2's `(np.int64(3), 2)`.
    """

    def __new__(cls, value=''):
        text = str(value)
        if 'np.' in text and not isinstance(value, str):
            import numpy

            with numpy.printoptions(legacy='1.25'):
                return str(value)
        return text


def patch_mxnet():
    """Change the few functions of MXNet that no other NumPy can help."""
    _keep_named_tuples()
    _take_sizes_of_numpy()
    _sum_in_float64()


def _keep_named_tuples():
    """Let MXNet pass on the named tuples that NumPy returns since 1.25.

    It makes a new tuple with `type(value)(items)`, which theirs refuse.
    """
    from mxnet.numpy import multiarray

    convert = multiarray._as_mx_np_array

    def as_mx_np_array(value, *args, **kwargs):
        if isinstance(value, tuple) and hasattr(value, '_make'):
            items = [as_mx_np_array(item, *args, **kwargs) for item in value]
            return value._make(items)
        return convert(value, *args, **kwargs)

    multiarray._as_mx_np_array = as_mx_np_array


def _take_sizes_of_numpy():
    """Let a NumPy integer be the size of an array of random numbers.

    MXNet asks whether the size is `()`, to which NumPy 2.2 has no answer.
    """
    import numpy
    from mxnet.ndarray.numpy import random
    from mxnet.symbol.numpy import random as symbols

    def plain(value):
        return int(value) if isinstance(value, numpy.integer) else value

    def with_plain_integers(function):
        @functools.wraps(function)
        def call(*args, **kwargs):
            kwargs = {name: plain(value) for name, value in kwargs.items()}
            return function(*map(plain, args), **kwargs)

        return call

    for module in (random, symbols):
        for name in module.__all__:
            setattr(module, name, with_plain_integers(getattr(module, name)))


def _sum_in_float64():
    """Let metrics sum as precisely as they did with NumPy 1.

    A float32 that is added to Python's 0.0 is a float32 since NumPy 2.
    """
    import numpy

    try:
        from mxnet.metric import EvalMetric
    except ModuleNotFoundError:  # Where it is in MXNet 2
        from mxnet.gluon.metric import EvalMetric

    def with_float64(reset):
        @functools.wraps(reset)
        def call(self):
            reset(self)
            for name in {'sum_metric', 'global_sum_metric'} & set(vars(self)):
                setattr(self, name, numpy.float64(getattr(self, name)))

        return call

    for name in {'reset', 'reset_local'} & set(vars(EvalMetric)):
        setattr(EvalMetric, name, with_float64(getattr(EvalMetric, name)))
