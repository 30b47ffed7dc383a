"""VGG, its training and its data in JAX, with the names of the book.

`from d2l_vgg import jax as d2l_vgg` gives `VGG`, `vgg_block`, `Classifier`,
`Trainer` and `FashionMNIST`. Networks are Flax modules, optimizers Optax's.
"""

try:
    import flax  # noqa: F401
    import jax  # noqa: F401
    import optax  # noqa: F401
except ModuleNotFoundError as error:
    if error.name not in ('flax', 'jax', 'jaxlib', 'optax'):
        raise
    raise ModuleNotFoundError(
        f'{error.name} is not installed: run `pip install jax flax optax`, '
        "with 'jax[cuda12]' on a machine with an NVIDIA GPU.",
        name=error.name,
    ) from None

from d2l_vgg.jax.data import FashionMNIST
from d2l_vgg.jax.training import Classifier, Trainer
from d2l_vgg.jax.vgg import VGG, vgg_block

__all__ = ['VGG', 'Classifier', 'FashionMNIST', 'Trainer', 'vgg_block']
