"""Settings by which a reader elsewhere changes what a framework computes."""

import sys
from typing import Any

# For each framework, how Python asks for a setting, and what it must be
EXPECTED = {
    'torch': {
        'torch.get_default_dtype()': 'torch.float32',
        "torch.is_autocast_enabled('cpu')": 'False',
        "torch.is_autocast_enabled('cuda')": 'False',
    },
    'tensorflow': {
        'keras.config.floatx()': 'float32',
        'keras.config.dtype_policy().name': 'float32',
        'keras.config.image_data_format()': 'channels_last',
        'tensorflow.executing_eagerly()': 'True',
    },
    'jax': {
        'jax.config.jax_enable_x64': 'False',
        'jax.config.jax_default_prng_impl': 'threefry2x32',
    },
    'mxnet': {
        'mxnet.util.is_np_array()': 'True',
        'mxnet.util.is_np_shape()': 'True',
    },
}


def check(owner: Any) -> None:
    """Raise ValueError if a setting is wrong for a trainer or classifier."""
    modules = [cls.__module__ for cls in type(owner).__mro__]
    known = [n for n in EXPECTED if f'd2l_vgg.{n}.training' in modules]
    for name, expected in EXPECTED[known[0]].items() if known else ():
        found = eval(name, dict(sys.modules))  # A text of this file
        if str(found) != expected:
            raise ValueError(
                f'{name} is {found}, but for what is computed here it must '
                f'be {expected}: set it back where it was changed, in the '
                'program, in a file or in the environment.'
            )
