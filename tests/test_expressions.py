"""What MXNet makes of expressions, against what it made with NumPy 1.23.5.

This shows that MXNet gets the NumPy that it was made for, whichever there is:
with the same types, shapes, values and errors. Run as a program with NumPy
1.23 it writes the record, with MXNet 2 what that makes otherwise.
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
RECORD_2 = HERE / 'expressions_2.json'
SECONDS = 30  # for one expression, which takes milliseconds
NOT_FINITE = {'nan', 'inf', '-inf'}


def read_expressions():
    lines = (HERE / 'expressions.txt').read_text().splitlines()
    return [line for line in lines if line and not line.startswith('#')]


def test_expressions_give_what_they_gave_with_numpy_1_23():
    mxnet = pytest.importorskip('mxnet')
    expected = json.loads(RECORD.read_text())
    assert list(expected) == read_expressions()
    if mxnet.__version__.startswith('2'):
        expected |= json.loads(RECORD_2.read_text())
        expected = {e: r for e, r in expected.items() if not left_out(r)}
    results = evaluate(list(expected))
    wrong = [
        f'{expression}: {results.get(expression)} instead of {result}'
        for expression, result in expected.items()
        if not same(results.get(expression), result)
    ]
    assert wrong == [], '\n'.join(wrong)


def left_out(result):
    """Tell whether a record has the reason why nothing is compared."""
    return isinstance(result, dict) and 'left out' in result


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
    """Return expression -> result, from a process that may die of one."""
    path = f'{HERE.parent}{os.pathsep}{os.environ.get("PYTHONPATH", "")}'
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.run(
            [sys.executable, str(Path(__file__).resolve()), '--evaluate'],
            cwd=folder,
            env={**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': path},
            input=json.dumps(expressions),
            capture_output=True,
            text=True,
        )
    lines = process.stdout.splitlines()
    results = dict(zip(expressions, map(json.loads, lines)))
    if len(lines) < len(expressions):
        results[expressions[len(lines)]] = {'died': process.stderr[-3000:]}
    return results


def print_results(expressions):
    """Print a line for each expression."""
    warnings.simplefilter('ignore')
    lines, sys.stdout = sys.stdout, sys.stderr
    known = names()
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
    if isinstance(value, onp.generic):
        return {f'onp {value.dtype}': contents(value)}
    if isinstance(value, float):
        return {'float': contents(onp.float64(value))}
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
    if isinstance(value, type) and issubclass(value, onp.generic):
        return {'onp type': str(onp.dtype(value))}
    if isinstance(value, type):
        return {'type': value.__name__}
    name = 'dtype' if isinstance(value, onp.dtype) else type(value).__name__
    return {name: str(value)}


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

    def run(layer, *inputs, dtype='float32'):
        layer.initialize('ones')
        layer.cast(dtype)
        layer(*inputs)
        return layer(*inputs)

    def hybrid(layer):
        layer.hybridize()
        return layer

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

    return {
        **locals(),
        **arrays,
        **{n.lower(): np.array(A, dtype=A.dtype) for n, A in arrays.items()},
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
    if not numpy.__version__.startswith('1.23.'):
        sys.exit(f'This is NumPy {numpy.__version__}, the record is of 1.23.')
    import mxnet

    path, results = RECORD, {}
    if mxnet.__version__.startswith('2'):
        path, known = RECORD_2, json.loads(RECORD_2.read_text())
        results = {e: known[e] for e in known if left_out(known[e])}
    results |= evaluate([e for e in read_expressions() if e not in results])
    if path == RECORD_2:
        known = json.loads(RECORD.read_text())
        results = {
            e: results[e] for e in known if not same(results[e], known[e])
        }
    lines = [f'{json.dumps(e)}: {json.dumps(results[e])}' for e in results]
    path.write_text('{\n' + ',\n'.join(lines) + '\n}\n')


if __name__ == '__main__':
    if sys.argv[1:] == ['--evaluate']:
        print_results(json.load(sys.stdin))
    else:
        compatibility.prepare()
        write_record()
