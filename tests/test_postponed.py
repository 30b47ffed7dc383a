"""What a library imports at once is imported when it is used."""

import pytest
from frameworks import PARAMS
from processes import run_python

LIBRARY = """
    import pandas as pd
    import scipy.sparse as sp
    import other
    from matplotlib import pyplot as plt
    from jax import jit
    try:
        import IPython
    except ImportError:
        IPython = None
"""
CODE = """
    import sys
    sys.path.insert(0, {folder!r})  # Where a SciPy is
    sys.modules['IPython'] = None
    whole = __import__
    from d2l_vgg import postponed
    with postponed.imports_of('library'):
        import library
    slow = {{'jax', 'matplotlib', 'pandas', 'scipy'}}
    print(*sorted(slow & set(sys.modules)))
    assert __import__ is whole
    assert library.IPython is None
    assert library.other.get is int  # Nobody else's are postponed
    assert library.jit(3) == 9
    library.plt.rcParams = library.sp.eye
    import matplotlib.pyplot, scipy.sparse
    assert matplotlib.pyplot.rcParams is scipy.sparse.eye is set
    assert 'DataFrame' in dir(library.pd)
    assert not hasattr(library.pd, 'Frame')
"""


def test_module_is_imported_at_its_first_use(tmp_path):
    (tmp_path / 'scipy').mkdir()
    (tmp_path / 'scipy' / '__init__.py').touch()
    (tmp_path / 'scipy' / 'sparse.py').write_text('eye = set')
    (tmp_path / 'requests.py').write_text('get = int')
    (tmp_path / 'other.py').write_text('from requests import get')
    (tmp_path / 'jax.py').write_text('jit = lambda x: x**2')
    (tmp_path / 'library.py').write_text(
        '\n'.join(line[4:] for line in LIBRARY.splitlines())
    )
    assert run_python(CODE.format(folder=str(tmp_path))) == ''


TRAIN = """
    import sys
    from d2l_vgg import frameworks
    package = frameworks.load({name!r})
    data = package.FashionMNIST(32, num_train=32, num_val=32)
    model = package.VGG(((1, 4), (1, 8)), lr=0.1)
    package.Trainer(1, display='none').fit(model, data)
    print('IMPORTED', *sys.modules)
"""


@pytest.mark.parametrize('framework', PARAMS)
def test_training_imports_nothing_slow_that_it_does_not_use(framework):
    told = run_python(TRAIN.format(name=framework.name), timeout=240)
    imported = set(told.rsplit('IMPORTED', 1)[1].split())
    slow = {'IPython', 'h5py', 'matplotlib', 'requests', 'scipy', 'tabulate'}
    # The compiler of PyTorch, which a CPU does not use, and its algebra
    slow |= {'torch._dynamo', 'sympy'}
    if framework.name == 'jax':
        slow -= {'scipy'}  # JAX's own
    else:
        slow |= {'jax'}
    assert not imported & slow
