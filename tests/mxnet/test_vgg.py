"""Gluon's side of the family: blocks in bfloat16, and parameters."""

import numpy as np
import pytest

pytest.importorskip('mxnet')

from frameworks import images, needs_bfloat16
from mxnet import autograd, nd, npx
from mxnet import np as mnp
from numpy_vgg import conv, max_pool

from d2l_vgg.mxnet import VGG
from d2l_vgg.mxnet.layers import BFLOAT16, cast
from d2l_vgg.networks import architectures


def to_bfloat16(array):
    """Round to the nearest float32 whose last 16 bits are zero."""
    bits = np.ascontiguousarray(array, dtype='float32').view('uint32')
    # A half, less one where the bit before is zero: ties go to even
    bits = bits + 0x7FFF + (bits >> 16 & 1)
    return (bits & 0xFFFF0000).astype('uint32').view('float32')


def test_a_cast_to_bfloat16_rounds_to_nearest_both_ways():
    """Any processor does that much."""
    X, weights = images((2, 1000)) - 0.5
    A = mnp.array(X)
    A.attach_grad()
    with autograd.record():
        Y = cast(nd, cast(nd, A, BFLOAT16), 'float32')
    Y.backward(mnp.array(weights))
    np.testing.assert_array_equal(Y.asnumpy(), to_bfloat16(X))
    np.testing.assert_array_equal(A.grad.asnumpy(), to_bfloat16(weights))


@needs_bfloat16
def test_a_bfloat16_block_rounds_what_goes_into_it_and_what_comes_out():
    """Against NumPy: one convolution of rounded numbers, in float64."""
    model = VGG(((1, 16), (1, 32)))
    model(mnp.zeros((1, 1, 16, 16)))
    model.set_precision('bfloat16')
    blk = model.net[1]
    X = images((2, 16, 8, 8)) - 0.5
    Y = blk(mnp.array(X))
    assert Y.dtype == np.float32
    weight = blk[0].weight.data()
    assert weight.dtype == np.float32
    expected = conv(
        to_bfloat16(X).astype('float64'),
        to_bfloat16(weight.asnumpy()).astype('float64'),
        np.zeros(32),
    )
    expected, _ = max_pool(np.maximum(expected, 0))
    # The order of a sum may move it over the middle between two numbers
    np.testing.assert_allclose(Y.asnumpy(), expected, rtol=2**-8, atol=1e-6)
    np.testing.assert_array_equal(Y.asnumpy(), to_bfloat16(Y.asnumpy()))


@pytest.mark.slow
def test_parameters_are_whole_while_the_network_still_computes(tmp_path):
    """They are laid out again meanwhile: read at once, 4 of 60 were not."""
    arch = architectures.Architecture(
        'wide', ((1, 64), (1, 128), (2, 256), (2, 512)), hidden=(32,)
    )
    for _ in range(40):
        model = VGG(arch)
        model.compile()
        model(mnp.zeros((2, 1, 32, 32)))
        found = model.arrays()
        npx.waitall()
        for name, array in model.arrays().items():
            np.testing.assert_array_equal(found[name], array, name)
