"""What is done to make MXNet work, and what is left alone.

What must be seen at the first import is tried in a process of its own.
"""

import importlib.util
import os
import subprocess
import sys

import pytest
from processes import ROOT, run_python

from d2l_vgg import machine

needs_mxnet = pytest.mark.skipif(
    importlib.util.find_spec('mxnet') is None, reason='MXNet is not installed'
)


@needs_mxnet
def test_only_mxnet_sees_the_old_numpy(tmp_path):
    # As SciPy is, where MXNet uses it
    (tmp_path / 'scipy.py').write_text(
        'import numpy, sys\n'
        'import numpy.ma  # Cannot be imported with another `numpy.bool`\n'
        "print('PZERO' in vars(numpy), numpy is sys.modules['numpy'])\n"
    )
    code = f"""
        import sys, numpy
        sys.path.insert(0, {str(tmp_path)!r})
        before = dict(vars(numpy))
        import d2l_vgg.mxnet, mxnet, scipy
        after = vars(numpy)
        assert [n for n in before if after.get(n) is not before[n]] == []
        # What NumPy itself imports on demand does not count
        new = [
            n for n in set(after) - set(before)
            if not getattr(after[n], '__name__', '').startswith('numpy.')
        ]
        print(new, mxnet.np.PZERO, mxnet.io.io.np.PZERO)
        print((numpy.int64(3),))
    """
    old = run_python('import numpy; print("PZERO" in vars(numpy))')
    fresh = run_python('import numpy; print((numpy.int64(3),))')
    assert run_python(code).splitlines() == [
        f'{old} True',
        '[] 0.0 0.0',
        fresh,
    ]


def test_an_import_that_fails_can_be_tried_again(tmp_path):
    (tmp_path / 'mxnet.py').write_text(
        'import numpy\n'
        'assert numpy.PZERO == 0 and numpy.bool is bool\n'
        "raise OSError('libgomp.so.1: cannot open')\n"
    )
    code = f"""
        import sys
        sys.path.insert(0, {str(tmp_path)!r})
        from d2l_vgg import compatibility; compatibility.prepare()
        for _ in range(2):
            try:
                import mxnet
            except OSError as error:
                print(error, 'mxnet' in sys.modules)
    """
    line = 'libgomp.so.1: cannot open False'
    assert run_python(code).splitlines() == [line, line]


@needs_mxnet
def test_import_of_mxnet_gives_no_warning_and_takes_every_free_core():
    # With NumPy 1.20 to 1.23 the bare name `bool` warns at each use
    code = """
        import os
        os.cpu_count = lambda: 10**6  # As if nobody took any
        import d2l_vgg.mxnet, mxnet
        mxnet.npx.set_np()
        print(mxnet.np.array([1, 2]) > 1, os.environ['OMP_NUM_THREADS'])
    """
    warnings = ['-W', 'error']
    # MXNet has escapes in its texts that Python 3.12 warns of
    warnings += ['-W', 'ignore::SyntaxWarning']
    cores = machine.physical_cores()
    assert run_python(code, *warnings) == f'[False  True] {cores}'


@needs_mxnet
def test_mxnet_and_d2l_work_without_distutils_with_the_threads_that_are_set():
    code = """
        from d2l_vgg import compatibility; compatibility.prepare()
        import os, sys
        sys.modules['distutils'] = None  # Cannot be imported
        from d2l import mxnet as d2l
        from mxnet import np, npx
        npx.set_np()
        # A comparison becomes an array of `numpy.bool`
        print(np.array([1, 2]) > 1, d2l.LinearRegression(lr=0.1).lr)
        print(os.environ['OMP_NUM_THREADS'])
        # The function with which MXNet compares versions of NumPy
        np.empty_like(np.ones((2, 3))).wait_to_read()
        # What is imported later sees the old NumPy, too
        assert 'mxnet.space' not in sys.modules
        from mxnet import space
        print(space._np.Inf)
    """
    found = run_python(code, OMP_NUM_THREADS='7')
    assert found == '[False  True] 0.1\n7\ninf'


# A program that imports nothing of ours but d2l_vgg, and MXNet only where it
# is the main process: what its workers have, they are sent
LOADER = """
import sys
if __name__ == '__main__':
    from d2l_vgg import compatibility; compatibility.prepare()
    import multiprocessing
    multiprocessing.set_start_method(sys.argv[1])
    import numpy
    from mxnet import gluon, np, npx
    npx.set_np()
    pixels = numpy.arange(64, dtype='float32').reshape(32, 2)
    data = gluon.data.ArrayDataset(pixels, numpy.arange(32))
    loader = gluon.data.DataLoader(data, 8, num_workers=2, timeout=60)
    print([int(X.sum()) for X, y in loader])
"""


@needs_mxnet
@pytest.mark.parametrize(
    'method',
    ['fork', 'forkserver', pytest.param('spawn', marks=pytest.mark.slow)],
)
def test_loader_processes_have_the_prepared_mxnet(tmp_path, method):
    script = tmp_path / 'loader.py'
    script.write_text(LOADER)
    result = subprocess.run(
        [sys.executable, str(script), method],
        cwd=ROOT,
        env={**os.environ, 'PYTHONPATH': ROOT},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.stdout == '[120, 376, 632, 888]\n', result.stderr
    assert 'AttributeError' not in result.stderr


@needs_mxnet
def test_processes_start_where_this_package_is_not(tmp_path):
    code = f"""
        import sys
        import d2l_vgg.mxnet, mxnet
        import multiprocessing
        # The new process finds neither this package nor the parent's files
        sys.path[:] = [p for p in sys.path if p and p != {ROOT!r}]
        sys.meta_path[:] = [
            finder for finder in sys.meta_path
            if 'editable' not in getattr(finder, '__module__', str(finder))
        ]
        pool = multiprocessing.get_context('spawn').Pool(1)
        print(pool.map(abs, [-1, -2]))
        pool.close()
    """
    assert run_python(code) == '[1, 2]'


NOT_IMPORTED = """
    import sys
    sys.path.insert(0, {folder!r})
    import d2l_vgg
    {before}
    try:
        from d2l_vgg import mxnet
    except ImportError as error:
        print(type(error).__name__, error.name, error)
"""


@pytest.mark.parametrize(
    'mxnet, before, told',
    [
        (
            'import no_graphviz',
            '',
            'ModuleNotFoundError no_graphviz No module',
        ),
        (
            "raise OSError('libgomp.so.1: cannot open')",
            '',
            'ImportError None MXNet is installed but does not load '
            '(libgomp.so.1: cannot open): install the package of your',
        ),
        (
            "raise ModuleNotFoundError(name='mxnet')",
            "import platform; platform.system = lambda: 'Windows'",
            'ModuleNotFoundError mxnet MXNet (MXNET=cpu) has no build for ',
        ),
        (
            "raise ModuleNotFoundError(name='mxnet')",
            '',
            'ModuleNotFoundError mxnet MXNet is not installed: run `make',
        ),
        (
            'npx = None',
            "sys.modules['d2l'] = None; from d2l_vgg import old_numpy; "
            'old_numpy.patch_mxnet = int',
            'ModuleNotFoundError d2l d2l is not installed',
        ),
    ],
)
def test_what_keeps_mxnet_from_being_imported_is_told(
    tmp_path, mxnet, before, told
):
    (tmp_path / 'mxnet.py').write_text(mxnet)
    code = NOT_IMPORTED.format(folder=str(tmp_path), before=before)
    assert run_python(code).startswith(told)
