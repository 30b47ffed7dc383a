"""What MXNet makes of expressions, against what it made with NumPy 1.23.5.

This shows that MXNet gets the NumPy that it was made for, whichever there is:
with the same types, shapes, values and errors, but for `DIFFERENCES`.
"""

import copy
import faulthandler
import json
import math
import operator
import os
import pickle
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy
import pytest

from d2l_vgg import compatibility

HERE = Path(__file__).resolve().parent
RECORD = HERE / 'expressions.json'
VERSION = tuple(map(int, numpy.__version__.split('.')[:2]))
SECONDS = 30  # for one expression, which takes milliseconds
NOT_FINITE = {'nan', 'inf', '-inf'}

# (first version of NumPy, reason) -> expression -> what it gives since then
DIFFERENCES = {
    ((1, 24), 'NumPy itself is left as it is'): {
        "getattr(onp, 'bool', None) is bool": False,
    },
    ((1, 25), 'slogdet returns a named tuple'): {
        'onp.linalg.slogdet(s)': {
            'SlogdetResult': [
                {'onp float32': 1.0},
                {'onp float32': 2.3978953},
            ]
        },
    },
    ((2, 0), 'NumPy itself is left as it is'): {
        "hasattr(onp, 'alltrue')": False,
        "hasattr(onp, 'PINF')": False,
        "hasattr(onp, 'compat') and hasattr(onp.compat, 'basestring')": False,
    },
    ((2, 0), 'integers out of range are refused'): {
        "np.array(300, dtype='uint8')": {'raises': 'TypeError'},
        "np.array(-1, dtype='uint8')": {'raises': 'TypeError'},
        'np.array([1, -1, 256], dtype=onp.uint8)': {'raises': 'TypeError'},
        "np.array(2 ** 31, dtype='int32')": {'raises': 'TypeError'},
        "nd.array([1, 300], dtype='uint8')": {'raises': 'TypeError'},
        "put(i.astype('uint8'), 0, [300])": {'raises': 'TypeError'},
    },
    ((2, 0), 'a float64 of NumPy counts when types are promoted'): {
        'np.heaviside(A, half)': {
            'onp float64 (2, 3)': [[1.0, 0.0, 1.0], [1.0, 1.0, 0.0]]
        },
        'np.result_type(A, half)': {'dtype': 'float64'},
        'np.select([v < 2, v > 3], [v, v * 10], half)': {
            'np float64 (4,)': [40.0, 1.0, 0.5, 1.0]
        },
    },
    ((2, 0), 'a float of Python does not count, float32 stays'): {
        'np.nanpercentile(a, 50)': {'onp float32': 0.375},
        'np.nanquantile(a, 0.5)': {'onp float32': 0.375},
    },
    ((2, 0), 'the edges of a histogram are of the type of the data'): {
        'np.histogram2d(v, v[::-1], bins=2)[1]': {
            'np float32 (3,)': [1.0, 2.5, 4.0]
        },
        'np.histogramdd(a.T, bins=2)[1][0]': {
            'np float32 (3,)': [-2.0, -0.25, 1.5]
        },
    },
    ((2, 0), 'gradient returns a tuple, no list'): {
        'onp.gradient(s)': {
            'tuple': [
                {'np float32 (2, 2)': [[-3.0, 2.0], [-3.0, 2.0]]},
                {'np float32 (2, 2)': [[-3.0, -3.0], [2.0, 2.0]]},
            ]
        },
    },
    ((2, 0), "lstsq knows no rcond 'warn'"): {
        "np.linalg.lstsq(s, np.array([1.0, 2.0]), rcond='warn')[2]": {
            'raises': 'UFuncTypeError'
        },
    },
    ((2, 0), 'a tuple is printed with the types of its numbers'): {
        "repr(gluon.Parameter('w', shape=(two, 3)))": (
            'Parameter w (shape=(np.int64(2), 3), '
            "dtype=<class 'numpy.float32'>)"
        ),
        'repr(gluon.nn.Conv2D(3, (two, two)))': (
            'Conv2D(-1 -> 3, kernel_size=(np.int64(2), np.int64(2)), '
            'stride=(1, 1))'
        ),
    },
    ((2, 2), 'an array of which not all is printed tells its shape'): {
        'repr(np.arange(1001))': (
            'array([   0.,    1.,    2., ...,  998.,  999., 1000.],\n'
            '      shape=(1001,))'
        ),
    },
    ((2, 3), 'what is counted is a number of NumPy'): {
        'np.count_nonzero(a)': {'onp int64': 6},
        'np.count_nonzero(A)': {'onp int64': 6},
    },
    ((2, 3), 'arrays have no method tostring'): {
        'mx.recordio.unpack(mx.recordio.pack('
        "mx.recordio.IRHeader(0, V, 7, 0), b'x'))": {
            'raises': 'AttributeError'
        },
    },
}


def read_expressions():
    lines = (HERE / 'expressions.txt').read_text().splitlines()
    return [line for line in lines if line and not line.startswith('#')]


def read_record():
    return json.loads(RECORD.read_text())


def differences():
    """Return expression -> what it gives with the NumPy that is installed."""
    return {
        expression: result
        for (version, _), results in DIFFERENCES.items()
        for expression, result in results.items()
        if VERSION >= version
    }


@pytest.fixture(scope='module')
def record():
    return read_record()


@pytest.fixture(scope='module')
def results():
    pytest.importorskip('mxnet')
    return evaluate(read_expressions())


def test_expressions_give_what_they_gave_with_numpy_1_23(record, results):
    expected = {**record, **differences()}
    assert list(results) == list(expected)
    wrong = [
        f'{expression}: {result} instead of {expected[expression]}'
        for expression, result in results.items()
        if not same(result, expected[expression])
    ]
    assert wrong == [], '\n'.join(wrong)


def test_record_is_of_these_expressions_and_differences_are_some(record):
    assert list(record) == read_expressions()
    for reason, listed in DIFFERENCES.items():
        for expression, result in listed.items():
            assert not same(record[expression], result), (reason, expression)


def same(one, other):
    """Tell whether two results are the same, floats up to their rounding."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        [(kind, value)] = one.items()
        [(other_kind, other_value)] = other.items()
        if kind == other_kind and 'float' in kind:
            return close(kind, flat(value), flat(other_value))
        return kind == other_kind and same(value, other_value)
    return type(one) is type(other) and one == other


def flat(value):
    if not isinstance(value, list):
        return [value]
    return [number for part in value for number in flat(part)]


def close(kind, numbers, others):
    """Tell whether all differ by a few last digits of the largest at most."""
    digits = 10 if 'float16' in kind else 23 if 'float32' in kind else 52
    largest = max((abs(x) for x in numbers if x not in NOT_FINITE), default=0)
    return len(numbers) == len(others) and all(
        # As texts, 0.0 and -0.0 are two
        str(x) == str(y)
        or not {x, y} & NOT_FINITE
        and 0 < abs(x - y) <= 8 * 2**-digits * largest
        for x, y in zip(numbers, others)
    )


def evaluate(expressions):
    """Return expression -> result, from a process that may die of one.

    The result is then what it said last, and a new process goes on.
    """
    results = {}
    path = [str(HERE.parent), os.environ.get('PYTHONPATH')]
    for _ in range(10):
        rest = [e for e in expressions if e not in results]
        if not rest:
            return results
        with tempfile.TemporaryDirectory() as folder:
            process = subprocess.run(
                [sys.executable, str(Path(__file__).resolve()), '--evaluate'],
                cwd=folder,
                env={
                    **os.environ,
                    'OMP_NUM_THREADS': '1',
                    'PYTHONPATH': os.pathsep.join(filter(None, path)),
                },
                input=json.dumps(rest),
                capture_output=True,
                text=True,
            )
        ready, *lines = process.stdout.splitlines() or ['']
        death = {'died': process.stderr[-3000:]}
        if not ready:
            return {e: death for e in expressions}
        results.update(zip(rest, map(json.loads, lines)))
        if len(lines) < len(rest):
            results[rest[len(lines)]] = death
    return {e: results.get(e, {'died': 'too often'}) for e in expressions}


def print_results(expressions):
    """Print a line when all is ready, and one for each expression."""
    warnings.simplefilter('ignore')
    lines, sys.stdout = sys.stdout, sys.stderr
    faulthandler.dump_traceback_later(SECONDS, exit=True)
    known = names()
    print('ready', file=lines, flush=True)
    for expression in expressions:
        faulthandler.dump_traceback_later(SECONDS, exit=True)
        try:
            result = describe(eval(expression, dict(known)))
        except Exception as error:
            result = {'raises': type(error).__name__}
        print(json.dumps(result), file=lines, flush=True)
    # MXNet's threads have once kept a process from ending
    os._exit(0)


def describe(value):
    """Return what a value is and what it holds, in a form for JSON."""
    import mxnet as mx
    import numpy as onp

    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float) and not isinstance(value, onp.generic):
        return {'float': contents(onp.float64(value))}
    if isinstance(value, onp.generic):
        return {f'onp {value.dtype}': contents(value)}
    if isinstance(value, onp.ndarray):
        return {f'onp {value.dtype} {value.shape}': contents(value)}
    if isinstance(value, mx.nd.NDArray):
        [(kind, inside)] = describe(value.asnumpy()).items()
        assert kind == f'onp {onp.dtype(value.dtype)} {value.shape}'
        module = 'np' if isinstance(value, mx.np.ndarray) else 'nd'
        return {kind.replace('onp', module): inside}
    if isinstance(value, (tuple, list)):
        return {type(value).__name__: [describe(part) for part in value]}
    if isinstance(value, dict):
        return {'dict': [describe(pair) for pair in value.items()]}
    if isinstance(value, onp.dtype):
        return {'dtype': str(value)}
    if isinstance(value, type) and issubclass(value, onp.generic):
        return {'onp type': str(onp.dtype(value))}
    if isinstance(value, type):
        return {'type': value.__name__}
    return {type(value).__name__: str(value)}


def contents(array):
    """Return the numbers of an array in lists, with the fewest digits."""
    if array.ndim:
        return [contents(part) for part in array]
    if array.dtype.kind != 'f':
        return array.item()
    number = float(str(array))
    return number if math.isfinite(number) else str(number)


def names():
    """Return what the expressions know, by name: see expressions.txt."""
    compatibility.prepare()
    import mxnet as mx
    import numpy as onp
    from mxnet import gluon, np, npx
    from mxnet.gluon.contrib.estimator import EarlyStoppingHandler

    npx.set_np()
    arrays = {
        'A': onp.array([[1.5, -2, 0.25], [3, 0.5, -1]], 'float32'),
        'B': onp.array([[True, False, True], [False, False, True]]),
        'I': onp.array([3, 1, 2, 1], 'int32'),
        'K': onp.array([[[[1, 2], [3, 4]]]], 'float32'),
        'S': onp.array([[4, 1], [1, 3]], 'float32'),
        'V': onp.array([4, 1, 3, 1], 'float32'),
        'X': onp.arange(16, dtype='float32').reshape(1, 1, 4, 4),
    }
    y = mx.sym.var('y')

    def put(array, key, value):
        array = array.copy()
        array[key] = value
        return array

    def built(layer, *inputs, dtype='float32'):
        layer.initialize('ones')
        layer.cast(dtype)
        layer(*inputs)
        return layer

    def run(layer, *inputs, dtype='float32'):
        return built(layer, *inputs, dtype=dtype)(*inputs)

    def hybrid(layer):
        layer.hybridize()
        return layer

    def exported(layer, *inputs):
        built(hybrid(layer), *inputs).export('net')
        return gluon.SymbolBlock.imports(
            'net-symbol.json', ['data'], 'net-0000.params'
        )

    def param(**kwargs):
        parameter = gluon.Parameter('w', **kwargs)
        parameter.initialize(default_init='ones')
        return parameter

    def grad(function):
        array = np.array(arrays['A'])
        array.attach_grad()
        with mx.autograd.record():
            result = function(array)
        result.backward()
        return array.grad

    def measure(metric, labels, predictions):
        metric.update(
            labels and [label.as_nd_ndarray() for label in labels],
            [prediction.as_nd_ndarray() for prediction in predictions],
        )
        return metric.get()

    def init(initializer, shape=(2,)):
        array = np.full(shape, 9.0)
        initializer(mx.init.InitDesc('weight'), array)
        return array

    def step(optimizer):
        weight = np.array(arrays['V'])
        mx.optimizer.get_updater(optimizer)(0, np.ones(4), weight)
        return weight

    def early_stopping(mode):
        handler = EarlyStoppingHandler(mx.metric.Accuracy(), mode=mode)
        handler.train_begin(None)
        return handler

    def csv(**kwargs):
        Path('numbers.csv').write_text('1,2\n3,4\n5,6\n')
        return mx.io.CSVIter(data_csv='numbers.csv', **kwargs)

    return {
        **locals(),
        **arrays,
        **{name.lower(): np.array(array) for name, array in arrays.items()},
        'nd': mx.nd,
        'z': y.as_np_ndarray(),
        'two': onp.int64(2),
        'half': onp.float64(0.5),
        'yes': onp.bool_(True),
        'old': mx.np.multiarray._np,
        'copy': copy,
        'operator': operator,
        'pickle': pickle,
    }


def write_record():
    if VERSION != (1, 23):
        sys.exit(f'This is NumPy {numpy.__version__}, the record is of 1.23.')
    results = evaluate(read_expressions())
    for expression, result in results.items():
        if 'died' in str(result) or result == {'raises': 'NameError'}:
            sys.exit(f'{expression}: {result}')
    lines = [f'{json.dumps(e)}: {json.dumps(results[e])}' for e in results]
    RECORD.write_text('{\n' + ',\n'.join(lines) + '\n}\n')


if __name__ == '__main__':
    if sys.argv[1:] == ['--evaluate']:
        print_results(json.load(sys.stdin))
    elif sys.argv[1:] == ['--record']:
        write_record()
    else:
        sys.exit('--record writes the record anew')
