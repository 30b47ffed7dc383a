"""A training step as a reader writes it himself, with no loop around it.

This is what our loop is measured beside: the section's network on one
minibatch that lies ready on the device. Each function here returns its step:
forward, loss, backward and gradient descent, compiled as the framework's
guide says. A step returns when its loss is computed.
"""

import numpy
import section

from d2l_vgg import compatibility


def make(framework, size, batch_size, precision):
    """Return the step of a framework, a function without arguments.

    `precision` is 'bfloat16' by the framework's own global setting, which
    MXNet and, on a CPU, JAX lack.
    """
    rng = numpy.random.RandomState(0)
    X = rng.rand(batch_size, 1, size, size).astype('float32')
    y = rng.randint(10, size=batch_size, dtype='int32')
    if framework in ('tensorflow', 'jax'):
        X = X.reshape(batch_size, size, size, 1)
    return STEPS[framework](X, y, precision)


def mxnet_step(X, y, precision):
    compatibility.prepare()
    from mxnet import autograd, gluon, np, npx

    net = section.mxnet_net(section.ARCH, hybrid=True)
    device = npx.gpu() if npx.num_gpus() else npx.cpu()
    net.collect_params().reset_ctx(device)
    net.hybridize(static_alloc=True, static_shape=True)
    loss_of = gluon.loss.SoftmaxCrossEntropyLoss()
    trainer = gluon.Trainer(
        net.collect_params(), 'sgd', {'learning_rate': 0.01}
    )
    X, y = np.array(X, ctx=device), np.array(y, ctx=device)

    def step():
        with autograd.record():
            loss = loss_of(net(X), y).mean()
        loss.backward()
        trainer.step(1)
        loss.wait_to_read()

    return step


def torch_step(X, y, precision):
    import torch
    from torch.nn import functional as F

    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    X, y = torch.tensor(X, device=device), torch.tensor(y, device=device)
    X = X.to(memory_format=torch.channels_last)
    net = section.torch_net(section.ARCH).to(device)
    net(X[:1])  # Draws the parameters
    net.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    rounded = precision == 'bfloat16'

    def step():
        with torch.autocast(device, torch.bfloat16, enabled=rounded):
            loss = F.cross_entropy(net(X), y.long())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()

    return step


def tensorflow_step(X, y, precision):
    import keras
    import tensorflow as tf

    if precision == 'bfloat16':
        keras.mixed_precision.set_global_policy('mixed_bfloat16')
    net = section.tensorflow_net(section.ARCH)
    net.build((None, *X.shape[1:]))
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.SGD(0.01)
    optimizer.build(net.trainable_variables)

    @tf.function
    def train(X, y):
        with tf.GradientTape() as tape:
            loss = loss_of(y, net(X, training=True))
        grads = tape.gradient(loss, net.trainable_variables)
        optimizer.apply_gradients(zip(grads, net.trainable_variables))
        return loss

    X, y = tf.constant(X), tf.constant(y)
    return lambda: train(X, y).numpy()


def jax_step(X, y, precision):
    import jax
    import optax

    net = section.jax_net(section.ARCH)
    X, y, key = jax.device_put(X), jax.device_put(y), jax.random.key(0)
    params = net.init({'params': key, 'dropout': key}, X[:1])
    optimizer = optax.sgd(0.01)
    state = params, optimizer.init(params), key

    @jax.jit
    def train(state, X, y):
        params, optimizer_state, key = state
        key, dropout = jax.random.split(key)

        def loss_of(params):
            scores = net.apply(params, X, rngs={'dropout': dropout})
            losses = optax.softmax_cross_entropy_with_integer_labels(
                scores, y
            )
            return losses.mean()

        loss, grads = jax.value_and_grad(loss_of)(params)
        updates, optimizer_state = optimizer.update(grads, optimizer_state)
        params = optax.apply_updates(params, updates)
        return (params, optimizer_state, key), loss

    def step():
        nonlocal state
        state, loss = train(state, X, y)
        loss.block_until_ready()

    return step


STEPS = {
    'mxnet': mxnet_step,
    'torch': torch_step,
    'tensorflow': tensorflow_step,
    'jax': jax_step,
}
