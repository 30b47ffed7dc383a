"""Why a Gluon network cannot take an input, in one sentence.

MXNet tells what an operator met; a reader asks what is wrong with his images.
This is for a network of any kind; of those of the family,
`d2l_vgg.training.inputs` knows more.
"""

import contextlib
import re

import numpy as onp
from mxnet import MXNetError, np
from mxnet.gluon import nn

from d2l_vgg.mxnet.layers import SEQUENTIAL, Conv, Pooling, recorded
from d2l_vgg.training.inputs import WrongInput

AXES = {'N': 'batch_size', 'C': 'num_channels', 'H': 'height', 'W': 'width'}


@contextlib.contextmanager
def explained(net, X):
    """Say why `net` cannot take `X` where the body, `net(X)`, fails of it.

    It costs nothing as long as all goes well.

    Raises:
        WrongInput: `X` is empty, or its shape or type does not fit.
    """
    if not isinstance(X, np.ndarray):
        raise WrongInput(
            f'X is a {type(X).__module__}.{type(X).__name__}, but this '
            'network takes arrays of MXNet: mxnet.np.array(X) makes one.'
        )
    if 0 in X.shape:
        raise WrongInput(
            f'X has the shape {X.shape}, which holds no example: leave such '
            'a minibatch out.'
        )
    try:
        yield
    except WrongInput:
        raise
    except (MXNetError, ValueError, AssertionError) as error:
        reason = find_reason(net, X)
        if reason is None:
            raise
        raise WrongInput(
            f'X has the shape {X.shape}, which does not fit this network: '
            f'{reason}.'
        ) from error


def find_reason(net, X):
    """Return why `net` fails with `X`, None where that is not known."""
    call = failing_call(net, X)
    if call is None or not isinstance(call.layer, (Conv, nn.Dense, Pooling)):
        return None
    block, X = call.layer, call.input
    name = re.sub('^BFloat16', '', type(block).__name__)
    if not isinstance(block, Pooling) and X.dtype != block.weight.dtype:
        dtype = onp.dtype(block.weight.dtype)
        return f'its {name} computes in {dtype} and gets {X.dtype}'
    if isinstance(block, nn.Dense):
        return (
            f'its {name} was drawn for {block.weight.shape[1]} numbers of '
            f'each image and gets {X.shape}; take images of the size that '
            'it was drawn with'
        )
    layout = block._kwargs['layout']
    if X.ndim != len(layout):
        axes = ', '.join(AXES.get(axis, 'depth') for axis in layout)
        return f'its {name} takes ({axes}) and gets {X.shape}'
    channels = X.shape[layout.index('C')]
    drawn = channels_of(block)
    if drawn > 0 and drawn != channels:
        return f'its {name} was drawn for {drawn} channels, not {channels}'
    return reason_of_window(net, block, X, name)


def reason_of_window(net, block, X, name):
    """Return that a window is larger than what it slides over, if it is."""
    sizes = [
        n
        for n, axis in zip(X.shape, block._kwargs['layout'])
        if axis not in 'NC'
    ]
    if all(n >= least for n, least in zip(sizes, spans(block))):
        return None
    reason = (
        f'its {name} has a window of {by(block._kwargs["kernel"])} and gets '
        f'{by(sizes)}'
    )
    smallest = smallest_size(net)
    if smallest:
        reason += f'; the smallest images that fit are {by(smallest)}'
    return reason


def failing_call(net, X):
    """Return the call in which `net(X)` fails, None where it does not.

    Parameters that are not drawn yet stay so.
    """
    deferred = [
        (param, param._shape, param._deferred_init)
        for param in net.collect_params().values()
        if param._deferred_init
    ]
    try:
        with recorded(net) as calls:
            net(X)
        return None
    except Exception:  # As before; what is left are calls that did not end
        return calls[-1]
    finally:
        for param, shape, init in deferred:
            param._shape, param._deferred_init = shape, init
            param._data = param._grad = None


def channels_of(block):
    """Return for how many channels it was drawn, -1 if for none yet."""
    if isinstance(block, Pooling):
        return -1
    layout, shape = block._kwargs['layout'], block.weight.shape
    if block._op_name.lower() == 'deconvolution':
        return shape[layout.index('N')]
    return shape[layout.index('C')] * block._kwargs['num_group']


def spans(block):
    """Return the least height and width that a window fits into."""
    about = block._kwargs
    dilate = about.get('dilate', [1] * len(about['kernel']))
    return [
        (kernel - 1) * step + 1 - 2 * pad
        for kernel, step, pad in zip(about['kernel'], dilate, about['pad'])
    ]


def smallest_size(net):
    """Return the least height and width that fit, None if not known.

    It is known where the layers follow one another.
    """
    layers = []

    def collect(block):
        if isinstance(block, SEQUENTIAL):
            for child in block:
                collect(child)
        else:
            layers.append(block)

    collect(getattr(net, 'net', net))
    size = None
    for block in reversed(layers):
        if isinstance(block, (Conv, Pooling)):
            about = block._kwargs
            if (
                about.get('global_pool')
                or about.get('pooling_convention') == 'full'
                or 'adj' in about
            ):
                return None
            size = size or [1] * len(about['kernel'])
            size = [
                (n - 1) * stride + span
                for n, stride, span in zip(
                    size, about['stride'], spans(block)
                )
            ]
        elif block._children and not isinstance(block, nn.Dense):
            return None
    return size


def by(sizes):
    return ' x '.join(map(str, sizes))
