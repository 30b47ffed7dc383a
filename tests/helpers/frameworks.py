"""What the tests do with a network in each framework.

Arrays go in and come out as NumPy's, images with their channels first, so
that the tests themselves know no framework. A framework that is added to the
package needs one class more here.
"""

import dataclasses
import functools
import gc
import importlib.util

import numpy as np
import pytest

from d2l_vgg import frameworks
from d2l_vgg.networks import architectures
from d2l_vgg.training.precisions import has_bfloat16

needs_bfloat16 = pytest.mark.skipif(
    not has_bfloat16(), reason='this processor has no bfloat16'
)


class Framework:
    """Adapter of one folder of the package, such as `d2l_vgg.torch`.

    A subclass has these methods:
        build(arch, X_shape, num_classes=10): a compiled model whose
            parameters have been drawn
        shapes(arch, X_shape, num_classes=10): name -> shape of its
            parameters, without drawing them
        forward(model, X, train=False): the scores, without gradients
        imperative(model, X): the scores of the same network, not compiled
        is_compiled(model): whether a forward pass has made a graph of it
        gradients(model, X, y): the loss, and name -> gradient, of one
            training step
    """

    name = module = ''
    channels_last = False

    def is_installed(self):
        return importlib.util.find_spec(self.module) is not None

    @property
    def package(self):
        return frameworks.load(self.name)

    @property
    def library(self):
        return importlib.import_module(self.name)

    def shape(self, X_shape):
        """Return the shape of such images as this framework has them."""
        if self.channels_last:
            X_shape = tuple(X_shape[i] for i in (0, 2, 3, 1))
        return X_shape

    def images(self, X):
        """Return images as an array of this framework."""
        return X.transpose(0, 2, 3, 1) if self.channels_last else X

    def labels(self, y):
        return y

    def vgg(self, arch, num_classes):
        return self.package.VGG(arch, num_classes=num_classes)

    def parameters(self, model):
        """Return name -> array of all trainable parameters, in order."""
        return {
            name: array
            for name, array in model.arrays().items()
            if 'running' not in name
        }


class MXNet(Framework):
    name = module = 'mxnet'

    def images(self, X):
        return self.library.np.array(X)

    labels = images

    def build(self, arch, X_shape, num_classes=10):
        self.library.random.seed(0)
        model = self.vgg(arch, num_classes)
        model.compile()
        model(self.library.np.zeros(X_shape))
        return model

    def shapes(self, arch, X_shape, num_classes=10):
        model = self.vgg(arch, num_classes)
        if hasattr(self.library.gluon.HybridBlock, 'hybrid_forward'):
            model.net.infer_shape(self.library.np.zeros(X_shape))
        else:  # MXNet 2 infers none; a gigabyte each, of the one before, too
            gc.collect()
            model(self.library.np.zeros(X_shape)).wait_to_read()
        return model.shapes()

    def forward(self, model, X, train=False):
        autograd = self.library.autograd
        with autograd.train_mode() if train else autograd.predict_mode():
            return model(self.images(X)).asnumpy()

    def imperative(self, model, X):
        model.net.hybridize(False)
        Y_hat = self.forward(model, X)
        model.compile()
        return Y_hat

    def is_compiled(self, model):
        return model.net._active and model.net._cached_op is not None

    def gradients(self, model, X, y):
        with self.library.autograd.record():
            loss = model.loss(model(self.images(X)), self.labels(y))
        loss.backward()
        own = model._collect_params_with_prefix().values()
        grads = [p.grad().asnumpy() for p in own if p.grad_req != 'null']
        return float(loss), dict(zip(self.parameters(model), grads))


class Torch(Framework):
    name = module = 'torch'

    def images(self, X):
        # With strides that are positive, which mirrored images have not
        return self.library.tensor(X.copy())

    labels = images

    def build(self, arch, X_shape, num_classes=10):
        self.library.manual_seed(0)
        model = self.vgg(arch, num_classes).eval()
        model(self.library.zeros(X_shape))
        model.compile()
        return model

    def shapes(self, arch, X_shape, num_classes=10):
        with self.library.device('meta'):
            model = self.vgg(arch, num_classes)
            model(self.library.zeros(X_shape))
        return model.shapes()

    def forward(self, model, X, train=False):
        model.train(train)
        with self.library.no_grad():
            return model(self.images(X)).numpy()

    def imperative(self, model, X):
        # On a CPU, compiling changes no more than how images lie
        model.to(memory_format=self.library.contiguous_format)
        model.eval()
        with self.library.no_grad():
            Y_hat = model.net(self.images(X)).numpy()
        model.compile()
        return Y_hat

    def is_compiled(self, model):
        channels_last = self.library.channels_last
        return model.net[1][0].weight.is_contiguous(
            memory_format=channels_last
        )

    def gradients(self, model, X, y):
        model.train()
        model.zero_grad()
        loss = model.loss(model(self.images(X)), self.labels(y))
        loss.backward()
        grads = [p.grad.numpy() for p in model.parameters()]
        return float(loss.detach()), dict(zip(self.parameters(model), grads))


class TensorFlow(Framework):
    name = module = 'tensorflow'
    channels_last = True

    def build(self, arch, X_shape, num_classes=10):
        from d2l_vgg.tensorflow.parameters import seed_initializers

        model = self.vgg(arch, num_classes)
        seed_initializers(model, 0)
        model.compile()
        self.forward(model, np.zeros(X_shape, 'float32'))
        return model

    def shapes(self, arch, X_shape, num_classes=10):
        model = self.vgg(arch, num_classes)
        with self.library.Graph().as_default():
            model.net.build(self.shape(X_shape))
        return model.shapes()

    def forward(self, model, X, train=False):
        return model(self.images(X), training=train).numpy()

    def imperative(self, model, X):
        return model.net(self.images(X), training=False).numpy()

    def is_compiled(self, model):
        return model.compiled.experimental_get_tracing_count() > 0

    def gradients(self, model, X, y):
        params = model.trained_parameters()
        with self.library.GradientTape() as tape:
            loss = model.loss(model(self.images(X), training=True), y)
        grads = tape.gradient(loss, model.trainable_variables)
        return float(loss), {
            name: param.read(grad)
            for (name, param), grad in zip(params.items(), grads)
        }


class JAX(Framework):
    name, module = 'jax', 'flax'
    channels_last = True
    num_keys = 0

    def build(self, arch, X_shape, num_classes=10):
        model = self.vgg(arch, num_classes)
        model.compile()
        self.forward(model, np.zeros(X_shape, 'float32'))
        return model

    def shapes(self, arch, X_shape, num_classes=10):
        from d2l_vgg.jax import layers
        from d2l_vgg.jax import parameters as trees

        model = self.vgg(arch, num_classes)
        X = self.library.ShapeDtypeStruct(self.shape(X_shape), 'float32')
        found = []

        def draw(key, X):
            with layers.mode(train=False):
                variables = model.net.init(key, X)
            found.extend(trees.flat(variables))
            return variables

        model.variables = self.library.eval_shape(draw, self.new_key(), X)
        model.own_names = trees.own_names(model, found)
        return model.shapes()

    def forward(self, model, X, train=False):
        X = self.images(X)
        if not train:
            return np.asarray(model(X))
        scores, _ = self.compiled(model, model.frozen)
        Y_hat, model.variables = scores(model.variables, self.new_key(), X)
        return np.asarray(Y_hat)

    def new_key(self):
        """Return another key each time, of which dropout masks are made."""
        self.num_keys += 1
        return self.library.random.key(self.num_keys)

    def imperative(self, model, X):
        with self.library.disable_jit():
            return self.forward(model, X)

    def is_compiled(self, model):
        return model.compiled._cache_size() > 0

    def gradients(self, model, X, y):
        from d2l_vgg.jax import parameters as trees
        from d2l_vgg.training import deferred

        _, gradient = self.compiled(model, model.frozen)
        (loss, model.variables), grads = gradient(
            model.variables, self.new_key(), self.images(X), y
        )
        grads = trees.flat({'params': grads['params']})
        return float(loss), {
            name: deferred.outputs_first(grads[model.own_names[name]])
            for name in self.parameters(model)
        }

    @functools.lru_cache(maxsize=1)  # noqa: B019, there is one of this
    def compiled(self, model, frozen):
        """Return functions for the scores and for the loss in training.

        What is compiled does not see that the model is frozen afterwards.
        """

        def scores(variables, key, X):
            with model.computing(variables, key):
                return model(X), model.variables

        def loss(variables, key, X, y):
            with model.computing(variables, key):
                return model.loss(model(X), y), model.variables

        jax = self.library
        return jax.jit(scores), jax.jit(
            jax.value_and_grad(loss, has_aux=True)
        )


FRAMEWORKS = [MXNet(), Torch(), TensorFlow(), JAX()]

# The same for the parameters of fixtures and tests
PARAMS = [
    pytest.param(
        framework,
        id=framework.name,
        marks=pytest.mark.skipif(
            not framework.is_installed(),
            reason=f'{framework.name} is not installed',
        ),
    )
    for framework in FRAMEWORKS
]

# Two of the family; the others have no kind of layer more
TWO = 'vgg16_1x1', 'vgg11_bn'
NAMES = [
    pytest.param(name, marks=() if name in TWO else pytest.mark.slow)
    for name in architectures.VGG_NAMES
]


def narrow(name):
    """Return a network of the family with a sixteenth of its width.

    It has all layers, without the hundreds of megabytes.
    """
    arch = architectures.get(name)
    return dataclasses.replace(
        arch,
        blocks=tuple(
            (num_convs, max(num_channels // 16, 4), num_1x1)
            for num_convs, num_channels, num_1x1 in arch.blocks
        ),
        hidden=tuple(units // 16 for units in arch.hidden),
    )


def images(shape, seed=0):
    """Return random images in [0, 1] of this shape, float32."""
    return np.random.RandomState(seed).rand(*shape).astype('float32')
