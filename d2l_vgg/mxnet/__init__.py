"""VGG, its training and its data in MXNet, with the names of the book.

`from d2l_vgg import mxnet as d2l_vgg` gives `VGG`, `vgg_block`,
`Classifier`, `Trainer` and `FashionMNIST`, and switches NumPy arrays on.
"""

import importlib.util

from d2l_vgg.cuda import advice

try:
    from mxnet import npx
except ModuleNotFoundError as error:
    if error.name != 'mxnet':
        raise
    raise ModuleNotFoundError(
        'MXNet is not installed: run `pip install mxnet==1.9.1`, or '
        "`pip install -e '.[cu117]'` on a machine with an NVIDIA GPU.",
        name='mxnet',
    ) from None
except OSError as error:
    raise ImportError(
        f'MXNet is installed but does not load ({error}): '
        f'{advice(str(error))}.'
    ) from error

if importlib.util.find_spec('d2l') is None:
    raise ModuleNotFoundError(
        'd2l is not installed: run `pip install --no-deps d2l==1.0.3`.',
        name='d2l',
    )

# The arrays of the book are those of `mxnet.np`
npx.set_np()

from d2l_vgg.mxnet.classifier import Classifier  # noqa: E402
from d2l_vgg.mxnet.data import FashionMNIST  # noqa: E402
from d2l_vgg.mxnet.trainer import Trainer  # noqa: E402
from d2l_vgg.mxnet.vgg import VGG, vgg_block  # noqa: E402

__all__ = ['VGG', 'Classifier', 'FashionMNIST', 'Trainer', 'vgg_block']
