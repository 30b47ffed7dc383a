"""What the conformance suite needs to know of a framework.

An implementation joins by one more class here: arrays go in and come out as
NumPy's, so the tests themselves know no framework.
"""

import functools
import importlib.util

import numpy as np
import pytest

from d2l_vgg.training.precisions import has_bfloat16

needs_bfloat16 = pytest.mark.skipif(
    not has_bfloat16(), reason='this processor has no bfloat16'
)


class MXNet:
    """Adapter of `d2l_vgg.mxnet`."""

    name = 'mxnet'
    channels_last = False

    @staticmethod
    def is_installed():
        return importlib.util.find_spec('mxnet') is not None

    def build(self, arch, X_shape, num_classes=10):
        """Return a model whose parameters have been drawn."""
        import mxnet as mx

        from d2l_vgg.mxnet import VGG

        mx.random.seed(0)
        model = VGG(arch, num_classes=num_classes)
        model.compile()
        model(mx.np.zeros(X_shape))
        return model

    def forward(self, model, X, train=False):
        """Return the scores; without gradients, in the mode asked for."""
        from mxnet import autograd, np

        mode = autograd.train_mode if train else autograd.predict_mode
        with mode():
            return model(np.array(X)).asnumpy()

    def imperative(self, model, X):
        """Return the scores of the same network, not compiled."""
        model.net.hybridize(False)
        Y_hat = self.forward(model, X)
        model.compile()
        return Y_hat

    def is_compiled(self, model):
        """Return whether a forward pass has made a graph of the network."""
        return model.net._active and model.net._cached_op is not None

    def parameters(self, model):
        """Return name -> array of all trainable parameters, in order."""
        from mxnet import npx

        npx.waitall()  # For a forward pass, which may lay them out anew
        return {
            name: p.data().asnumpy()
            for name, p in model._collect_params_with_prefix().items()
            if p.grad_req != 'null'
        }

    def set_parameters(self, model, arrays):
        """Set the trainable parameters, in the order of `parameters`."""
        from mxnet import np

        params = model._collect_params_with_prefix().values()
        params = [p for p in params if p.grad_req != 'null']
        assert len(params) == len(arrays)
        for param, array in zip(params, arrays):
            param.set_data(np.array(array))

    def gradients(self, model, X, y):
        """Return the loss, and name -> gradient, of one training step."""
        from mxnet import autograd, np

        with autograd.record():
            loss = model.loss(model(np.array(X)), np.array(y))
        loss.backward()
        return float(loss), {
            name: p.grad().asnumpy()
            for name, p in model._collect_params_with_prefix().items()
            if p.grad_req != 'null'
        }

    def save(self, model, path):
        model.save(path)

    def load(self, model, path):
        model.load(path)


class Torch:
    """Adapter of `d2l_vgg.torch`."""

    name = 'torch'
    channels_last = False

    @staticmethod
    def is_installed():
        return importlib.util.find_spec('torch') is not None

    def build(self, arch, X_shape, num_classes=10):
        import torch

        from d2l_vgg.torch import VGG

        torch.manual_seed(0)
        model = VGG(arch, num_classes=num_classes)
        model.eval()
        model(torch.zeros(X_shape))
        model.compile()
        return model

    def forward(self, model, X, train=False):
        import torch

        model.train(train)
        with torch.no_grad():
            return model(torch.tensor(X)).numpy()

    def imperative(self, model, X):
        import torch

        # On a CPU, compiling changes no more than how images lie
        model.to(memory_format=torch.contiguous_format)
        model.eval()
        with torch.no_grad():
            Y_hat = model.net(torch.tensor(X)).numpy()
        model.compile()
        return Y_hat

    def is_compiled(self, model):
        import torch

        weight = model.net[1][0].weight
        return weight.is_contiguous(memory_format=torch.channels_last)

    def parameters(self, model):
        return {n: p.detach().numpy() for n, p in model.named_parameters()}

    def set_parameters(self, model, arrays):
        import torch

        params = list(model.parameters())
        assert len(params) == len(arrays)
        with torch.no_grad():
            for param, array in zip(params, arrays):
                param.copy_(torch.tensor(array))

    def gradients(self, model, X, y):
        import torch

        model.train()
        model.zero_grad()
        loss = model.loss(model(torch.tensor(X)), torch.tensor(y))
        loss.backward()
        params = model.named_parameters()
        return float(loss.detach()), {n: p.grad.numpy() for n, p in params}

    def save(self, model, path):
        model.save(path)

    def load(self, model, path):
        model.load(path)


class TensorFlow:
    """Adapter of `d2l_vgg.tensorflow`."""

    name = 'tensorflow'
    channels_last = True

    @staticmethod
    def is_installed():
        return importlib.util.find_spec('tensorflow') is not None

    def build(self, arch, X_shape, num_classes=10):
        """Return a model whose parameters have been drawn."""
        from d2l_vgg.tensorflow import VGG
        from d2l_vgg.tensorflow.parameters import seed_initializers

        model = VGG(arch, num_classes=num_classes)
        seed_initializers(model, 0)
        model.compile()
        self.forward(model, np.zeros(X_shape, 'float32'))
        return model

    def forward(self, model, X, train=False):
        """Return the scores; without gradients, in the mode asked for."""
        X = X.transpose(0, 2, 3, 1)
        return model(X, training=train).numpy()

    def imperative(self, model, X):
        """Return the scores of the same network, not compiled."""
        return model.net(X.transpose(0, 2, 3, 1), training=False).numpy()

    def is_compiled(self, model):
        """Return whether a forward pass has made a graph of the network."""
        return model.graph.experimental_get_tracing_count() > 0

    def parameters(self, model):
        """Return name -> array of all trainable parameters, in order."""
        arrays = model.arrays()
        return {name: arrays[name] for name in model.trained_parameters()}

    def set_parameters(self, model, arrays):
        """Set the trainable parameters, in the order of `parameters`."""
        params = model.trained_parameters()
        assert len(params) == len(arrays)
        model.load_arrays({**model.arrays(), **dict(zip(params, arrays))})

    def gradients(self, model, X, y):
        """Return the loss, and name -> gradient, of one training step."""
        import tensorflow as tf

        params = model.trained_parameters()
        with tf.GradientTape() as tape:
            Y_hat = model(X.transpose(0, 2, 3, 1), training=True)
            loss = model.loss(Y_hat, y)
        grads = tape.gradient(loss, model.trainable_variables)
        return float(loss), {
            name: param.read(grad)
            for (name, param), grad in zip(params.items(), grads)
        }

    def save(self, model, path):
        model.save(path)

    def load(self, model, path):
        model.load(path)


class JAX:
    """Adapter of `d2l_vgg.jax`, whose images have their channels last."""

    name = 'jax'
    channels_last = True

    @staticmethod
    def is_installed():
        return importlib.util.find_spec('flax') is not None

    def build(self, arch, X_shape, num_classes=10):
        from d2l_vgg.jax import VGG

        model = VGG(arch, num_classes=num_classes)
        model.compile()
        self.forward(model, np.zeros(X_shape, 'float32'))
        return model

    def forward(self, model, X, train=False):
        X = X.transpose(0, 2, 3, 1)
        if not train:
            return np.asarray(model(X))
        with model.computing(model.variables, self.new_key()):
            return np.asarray(model(X))

    def new_key(self):
        """Return another key each time, of which dropout masks are made."""
        import jax

        self.num_keys = getattr(self, 'num_keys', 0) + 1
        return jax.random.key(self.num_keys)

    def imperative(self, model, X):
        import jax

        with jax.disable_jit():
            return self.forward(model, X)

    def is_compiled(self, model):
        return model.compiled._cache_size() > 0

    def parameters(self, model):
        trained = model.trained_names()
        names = model.own_names()
        arrays = model.arrays()
        return {n: arrays[n] for n in arrays if names[n] in trained}

    def set_parameters(self, model, arrays):
        names = list(self.parameters(model))
        assert len(names) == len(arrays)
        model.load_arrays(dict(zip(names, arrays)))

    def gradients(self, model, X, y):
        from d2l_vgg.jax import trees

        (loss, changed), grads = self.gradient_of(model)(
            model.variables, self.new_key(), X.transpose(0, 2, 3, 1), y
        )
        model.variables = changed
        grads = trees.flat({'params': grads['params']})
        names = model.own_names()
        return float(loss), {
            name: trees.to_common(grads[names[name]])
            for name in self.parameters(model)
        }

    @functools.lru_cache(maxsize=1)  # noqa: B019, there is one of this
    def gradient_of(self, model):
        """Return a compiled function for the gradients of `model`."""
        import jax

        def loss_of(variables, key, X, y):
            with model.computing(variables, key):
                loss = model.loss(model(X), y)
                return loss, model.variables

        return jax.jit(jax.value_and_grad(loss_of, has_aux=True))

    def save(self, model, path):
        model.save(path)

    def load(self, model, path):
        model.load(path)


FRAMEWORKS = [MXNet(), Torch(), TensorFlow(), JAX()]


def images(shape, seed=0):
    """Return random images in [0, 1] of this shape, float32."""
    return np.random.RandomState(seed).rand(*shape).astype('float32')
