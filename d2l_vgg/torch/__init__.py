"""VGG, its training and its data in PyTorch, with the names of the book.

`from d2l_vgg import torch as d2l_vgg` gives `VGG`, `vgg_block`,
`Classifier`, `Trainer` and `FashionMNIST`.
"""

from d2l_vgg import machine

machine.use_free_cores()
try:
    import torch  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != 'torch':
        raise
    raise ModuleNotFoundError(
        'PyTorch is not installed: run `pip install torch`.', name='torch'
    ) from None

from d2l_vgg.torch.data import FashionMNIST  # noqa: E402
from d2l_vgg.torch.training import Classifier, Trainer  # noqa: E402
from d2l_vgg.torch.vgg import VGG, vgg_block  # noqa: E402

__all__ = ['VGG', 'Classifier', 'FashionMNIST', 'Trainer', 'vgg_block']
