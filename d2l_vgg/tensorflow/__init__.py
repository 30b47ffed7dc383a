"""VGG, its training and its data in TensorFlow, with the names of the book.

`from d2l_vgg import tensorflow as d2l_vgg` gives `VGG`, `vgg_block`,
`Classifier`, `Trainer` and `FashionMNIST`.
"""

from d2l_vgg.tensorflow import loading

loading.load()

from d2l_vgg.tensorflow.data import FashionMNIST  # noqa: E402
from d2l_vgg.tensorflow.training import Classifier, Trainer  # noqa: E402
from d2l_vgg.tensorflow.vgg import VGG, vgg_block  # noqa: E402

__all__ = ['VGG', 'Classifier', 'FashionMNIST', 'Trainer', 'vgg_block']
