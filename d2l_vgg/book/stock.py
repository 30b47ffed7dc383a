"""Make the classes of stock d2l run here: short where asked, and offline.

The builder of the chapter and the benchmark train with them.
"""

import importlib

from d2l_vgg import compatibility
from d2l_vgg.datasets import fashion_mnist, stand_in
from d2l_vgg.training import trial

# How many images d2l's classes get in a trial
FEW = 1024


def shorten(module):
    """Make the `Trainer` of `d2l.<module>` heed `$D2L_VGG_TRIAL`."""
    compatibility.prepare()
    cls = importlib.import_module(f'd2l.{module}').Trainer
    prepare_data = cls.prepare_data

    def prepare_some_data(self, data):
        prepare_data(self, data)
        size = trial.size()
        trial.shorten(self, size)
        if size:
            print(trial.note(size))

    cls.prepare_data = prepare_some_data


def offer_data(module, root=None):
    """Give the `FashionMNIST` of `d2l.<module>` the images found here.

    It asks a library for them that would download its own copy. Where the
    images cannot be had without a network, it gets the stand-in; in a trial
    it gets the first few.
    """
    try:
        if stand_in.is_asked_for(root):
            arrays = stand_in.load()
        else:
            arrays = fashion_mnist.load(root, download=False)
    except fashion_mnist.DataNotFound:
        arrays = stand_in.load()
    # For TensorFlow and JAX d2l enlarges a whole epoch's images at once
    few = slice(FEW if trial.size() else None)
    train = arrays.train_images[few], arrays.train_labels[few]
    val = arrays.val_images[few], arrays.val_labels[few]
    if module == 'mxnet':
        compatibility.prepare()
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
