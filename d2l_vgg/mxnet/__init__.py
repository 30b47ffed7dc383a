"""VGG, its training and its data in MXNet, with the names of the book.

`from d2l_vgg import mxnet as d2l_vgg` gives `VGG`, `vgg_block`,
`Classifier`, `Trainer` and `FashionMNIST`, and switches NumPy arrays on.
"""

import importlib.util

from d2l_vgg import compatibility, postponed
from d2l_vgg.platforms import advice, refusal

compatibility.prepare()
try:
    with postponed.imports_of('mxnet'):
        from mxnet import npx
except ModuleNotFoundError as error:
    if error.name != 'mxnet':
        raise
    raise ModuleNotFoundError(
        refusal('mxnet')
        or 'MXNet is not installed: run `make setup`, with `MXNET=cu117` on '
        'a machine with an NVIDIA GPU, or by hand '
        "`pip install -e '.[mxnet-needs]'` and "
        '`pip install --no-deps mxnet==1.9.1 d2l==1.0.3`.',
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

from d2l_vgg.mxnet import patches  # noqa: E402

patches.apply()

with postponed.imports_of('d2l'):
    from d2l_vgg.mxnet.data import FashionMNIST
from d2l_vgg.mxnet.training import Classifier, Trainer  # noqa: E402
from d2l_vgg.mxnet.vgg import VGG, vgg_block  # noqa: E402

__all__ = ['VGG', 'Classifier', 'FashionMNIST', 'Trainer', 'vgg_block']
