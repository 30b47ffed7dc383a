"""Patches for faults of MXNet, and for what differs in its versions.

`apply()` is called when `d2l_vgg.mxnet` is imported. In 1.9.1 and 2.0.0b1 it
makes gradients in predict mode right, and turns NumPy arrays on in every
thread. On a processor 1.9.1 computes without a queue; 2.0.0b1, which has its
engine by then, gets back the names of 1.9.1 that d2l and this package use.
"""

import functools
import os
import sys
import threading
import types

import mxnet as mx
from mxnet import autograd, gluon, util

# MXNet 2 traces `forward`, and knows no `hybrid_forward`
IS_2 = not hasattr(gluon.HybridBlock, 'hybrid_forward')


def traced(cls):
    """Have this version of MXNet call the `compute` of a class of blocks.

    That takes a module of functions, the input, and the parameters by name.
    """

    def forward(self, X):
        params = self._reg_params.items()
        params = {name: param.data(X.ctx) for name, param in params}
        return self.compute(mx.nd, X, **params)

    name, method = 'hybrid_forward', cls.compute
    if IS_2:
        name, method = 'forward', forward
    setattr(cls, name, method)
    return cls


def apply():
    _use_numpy_arrays_in_every_thread()
    if IS_2:
        _keep_names_of_1()
    elif not mx.runtime.Features().is_enabled('CUDA'):
        _compute_without_queue()
    _patch_gradients_in_predict_mode()
    # Of a shape that does not fit, it prints the arguments besides raising
    mx.symbol.symbol.print = lambda *args: None


def _compute_without_queue():
    """Compute an operation when it is called, in the thread that calls it.

    On two cores the thread of a queue and Python's take turns with those of
    an operation, which wait for each other. `$MXNET_ENGINE_TYPE` goes before.
    """
    if 'MXNET_ENGINE_TYPE' in os.environ or sys.stderr is None:
        return
    os.environ['MXNET_ENGINE_TYPE'] = 'NaiveEngine'
    kept = os.dup(2)
    with open(os.devnull, 'w') as null:
        os.dup2(null.fileno(), 2)  # Where the engine writes its name
        mx.nd.waitall()  # Makes it
    os.dup2(kept, 2)
    os.close(kept)
    del os.environ['MXNET_ENGINE_TYPE']


def _use_numpy_arrays_in_every_thread():
    """Have each thread begin as the first one: `npx.set_np` is for one."""

    class Switch(threading.local):
        def __init__(self):  # Called in each thread that asks
            self.value = util._NumpyArrayScope(True)

    util._NumpyArrayScope._current = Switch()
    util.set_np_shape(2)  # MXNet's number for all threads


def _keep_names_of_1():
    """Let d2l and this package use the names of 1.9.1 without a warning."""
    # d2l knows by it that there are parameters
    gluon.parameter.ParameterDict = dict
    for owner, name, new in (
        (mx.np.ndarray, 'ctx', 'device'),
        (mx.np.ndarray, 'as_in_ctx', 'to_device'),
        (gluon.Parameter, 'list_ctx', 'list_device'),
        (gluon.Parameter, 'reset_ctx', 'reset_device'),
    ):
        setattr(owner, name, getattr(owner, new))


def _patch_gradients_in_predict_mode():
    """Let gradients be those of the function that was computed.

    Max-pooling of oneDNN keeps where the largest numbers were in train mode
    only, and in predict mode its gradient is made of what happens to be in
    the memory. Batch normalization takes the gradient of train mode, since
    `backward` is in that mode unless it is told otherwise. As a graph that
    is compiled has one mode, such a gradient is taken of single operations.
    """
    normalize = _normalize_with_running_statistics
    for module in mx.nd.op, mx.nd:
        _replace(module, 'Pooling', _pool_in_train_mode)
        _replace(module, 'BatchNorm', normalize)
    for module in mx.nd.npx, mx.npx:
        _replace(module, 'pooling', _pool_in_train_mode)
        _replace(module, 'batch_norm', normalize)
    _replace(mx.nd.contrib, 'BatchNormWithReLU', normalize)
    if IS_2:
        _compute_operation_by_operation()
    else:
        _replace(gluon.HybridBlock, 'forward', _forward_not_compiled)
    _replace(gluon.SymbolBlock, 'forward', _refuse)


def _replace(owner, name, patched):
    """Have `patched` called with the function in predict mode."""
    function = getattr(owner, name)

    @functools.wraps(function)
    def call(*args, **kwargs):
        if autograd.is_recording() and not autograd.is_training():
            return patched(function, *args, **kwargs)
        return function(*args, **kwargs)

    setattr(owner, name, call)


def _pool_in_train_mode(pooling, *args, **kwargs):
    """Pool; the values are the same in both modes."""
    with autograd.train_mode():
        return pooling(*args, **kwargs)


def _normalize_with_running_statistics(batch_norm, *args, **kwargs):
    """Normalize with them, whichever mode the gradient will be taken in."""
    return batch_norm(*args, **{**kwargs, 'use_global_stats': True})


def _forward_not_compiled(forward, block, *args):
    """Compute a block operation by operation; its graph stays as it is."""
    compiled, block._active = block._active, False
    try:
        return forward(block, *args)
    finally:
        block._active = compiled


def _compute_operation_by_operation():
    """Do that in MXNet 2, whose layers have copies of `__call__`.

    What they all ask is whether they are being traced. Then they compute so.
    """
    traced = mx._deferred_compute
    gluon.block.dc = types.SimpleNamespace(**vars(traced))
    gluon.block.dc.is_deferred_compute = lambda: (
        traced.is_deferred_compute()
        or (autograd.is_recording() and not autograd.is_training())
    )


def _refuse(forward, block, *args):
    graph = block._cached_graph[1].tojson().lower()
    if not IS_2 and 'pooling' not in graph and 'batch' not in graph:
        return forward(block, *args)
    raise ValueError(
        f'A gradient in predict mode is asked for of {type(block).__name__}, '
        'a network that was read as a whole graph, of which MXNet computes '
        'a wrong one: build it of layers, or record in train mode.'
    )
