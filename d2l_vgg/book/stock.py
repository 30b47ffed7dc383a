"""Make the classes of stock d2l run here, and offline.

d2l 1.0.3 was made for the frameworks of 2023. What it needs to run with
those of today is here and nowhere else. The benchmark trains with it.
"""

import contextlib
import importlib
import importlib.util
import os
import random
import sys
import types

from d2l_vgg import compatibility
from d2l_vgg.datasets import fashion_mnist


def load(framework, all_cores=True):
    """Import `d2l.<framework>`; patch what today's framework breaks in it.

    `all_cores` is for MXNet, as in `compatibility.prepare`. Raises
    ModuleNotFoundError where d2l, the framework or what they need is missing.
    """
    if importlib.util.find_spec('d2l') is None:
        raise ModuleNotFoundError(
            'd2l is not installed: run `pip install --no-deps d2l==1.0.3`.',
            name='d2l',
        )
    name = f'd2l.{framework}'
    if name in sys.modules:
        return sys.modules[name]
    if framework == 'mxnet':
        compatibility.prepare(all_cores)
        return importlib.import_module(name)
    with PATCHED[framework]():
        return importlib.import_module(name)


@contextlib.contextmanager
def patched_torch():
    # Without a build of torchvision for this processor, these two would fail
    for part in '_meta_registrations', '_autograd_registrations':
        name = f'torchvision.{part}'
        sys.modules.setdefault(name, types.ModuleType(name))
    # The networks need neither, only d2l's data and a later chapter
    with (
        empty('torchvision', transforms=None),
        empty('scipy.spatial', distance_matrix=None),
    ):
        yield


@contextlib.contextmanager
def patched_tensorflow():
    from d2l_vgg.tensorflow import loading

    loading.load()
    yield
    d2l = sys.modules['d2l.tensorflow']
    make = d2l.Module.__init__

    def __init__(self, *args, **kwargs):
        make(self, *args, **kwargs)
        # Keras 3 has put None there, which hides the method of the class
        vars(self).pop('loss', None)

    d2l.Module.__init__ = __init__


@contextlib.contextmanager
def patched_jax():
    import jax

    if not hasattr(jax.random, 'PRNGKeyArray'):
        jax.random.PRNGKeyArray = jax.Array
    # d2l draws up to 1e6, which Python from 3.12 on takes for no integer
    randint = random.randint
    random.randint = lambda a, b: randint(a, int(b))
    os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
    try:
        # The networks need neither, only d2l's data
        with (
            empty('tensorflow'),
            empty('tensorflow_datasets', as_numpy=AsNumPy),
        ):
            yield
    finally:
        random.randint = randint
    d2l = sys.modules['d2l.jax']
    d2l.get_seed = lambda: random.randint(0, 10**6)


PATCHED = {
    'torch': patched_torch,
    'tensorflow': patched_tensorflow,
    'jax': patched_jax,
}


@contextlib.contextmanager
def empty(name, **attributes):
    """In this block, import an empty module where this one is missing."""
    top, _, inner = name.partition('.')
    if importlib.util.find_spec(top) is not None:
        yield
        return
    names = [top, name] if inner else [top]
    for missing in names:
        sys.modules[missing] = types.ModuleType(missing)
    vars(sys.modules[name]).update(attributes)
    try:
        yield
    finally:
        for missing in names:
            del sys.modules[missing]


class AsNumPy:
    """What `tensorflow_datasets.as_numpy` makes of a data set."""

    def __init__(self, dataset):
        self.dataset = dataset

    def __len__(self):
        return len(self.dataset)

    def __iter__(self):
        return self.dataset.as_numpy_iterator()


def offer_data(module, root=None, num_train=None):
    """Give the `FashionMNIST` of `d2l.<module>` our images, not a download.

    `root` and `num_train` are as those of our `FashionMNIST`.
    """
    arrays = fashion_mnist.load(root)
    train = arrays.train_images[:num_train], arrays.train_labels[:num_train]
    val = arrays.val_images, arrays.val_labels
    if module == 'mxnet':
        load(module)
        from mxnet import gluon, np

        def get_data(self):
            images, labels = train if self._train else val
            self._data = np.array(images[..., None], dtype='uint8')
            self._label = np.array(labels, dtype='int32')

        gluon.data.vision.FashionMNIST._get_data = get_data
    elif module == 'torch':
        import torch
        from torchvision.datasets import FashionMNIST

        def load_data(self):
            images, labels = train if self.train else val
            return torch.from_numpy(images), torch.from_numpy(labels).long()

        FashionMNIST._check_exists = lambda self: True
        FashionMNIST._load_data = load_data
    else:
        from tensorflow import keras

        keras.datasets.fashion_mnist.load_data = lambda: (train, val)
