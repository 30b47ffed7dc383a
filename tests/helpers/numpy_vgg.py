"""The VGG family in plain NumPy and float64, forward, backward and trained.

Written from the definitions, loop by loop and without any framework, to hold
the frameworks' networks against. Dropout is not in it.
"""

import numpy as np

EPSILON = 1e-5  # Of batch normalization
KEPT = 0.9  # Of its running statistics, at each minibatch


def conv(X, weight, bias):
    """Cross-correlate X (n, c, h, w) with weight (o, c, k, k), same size."""
    n, _, h, w = X.shape
    size = weight.shape[-1]
    pad = size // 2
    padded = np.pad(X, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    Y = np.zeros((n, len(weight), h, w)) + bias[:, None, None]
    for i in range(size):
        for j in range(size):
            window = padded[:, :, i : i + h, j : j + w]
            Y += np.einsum('nchw,oc->nohw', window, weight[:, :, i, j])
    return Y


def conv_backward(X, weight, dY):
    """Return the gradients with respect to X, weight and bias."""
    _, _, h, w = X.shape
    size = weight.shape[-1]
    pad = size // 2
    padded = np.pad(X, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    d_padded, d_weight = np.zeros_like(padded), np.zeros_like(weight)
    for i in range(size):
        for j in range(size):
            window = padded[:, :, i : i + h, j : j + w]
            d_weight[:, :, i, j] = np.einsum('nohw,nchw->oc', dY, window)
            d_padded[:, :, i : i + h, j : j + w] += np.einsum(
                'nohw,oc->nchw', dY, weight[:, :, i, j]
            )
    dX = d_padded[:, :, pad : pad + h, pad : pad + w]
    return dX, d_weight, dY.sum((0, 2, 3))


def max_pool(X):
    """Return the largest of each 2 x 2 pixels, and where it was."""
    n, c, h, w = X.shape
    X = X[:, :, : h // 2 * 2, : w // 2 * 2]
    cells = X.reshape(n, c, h // 2, 2, w // 2, 2).swapaxes(3, 4)
    cells = cells.reshape(n, c, h // 2, w // 2, 4)
    return cells.max(-1), cells.argmax(-1)


def max_pool_backward(X, where, dY):
    n, c, h, w = X.shape
    cells = (np.arange(4) == where[..., None]) * dY[..., None]
    cells = cells.reshape(n, c, h // 2, w // 2, 2, 2).swapaxes(3, 4)
    dX = np.zeros(X.shape)
    dX[:, :, : h // 2 * 2, : w // 2 * 2] = cells.reshape(
        n, c, h // 2 * 2, w // 2 * 2
    )
    return dX


def over_five_channels(X):
    """Return at each channel the sum over it and two on each side."""
    padded = np.pad(X, ((0, 0), (2, 2), (0, 0), (0, 0)))
    return sum(padded[:, i : i + X.shape[1]] for i in range(5))


class Network:
    """A network of the family, whose forward pass keeps the way back.

    Args:
        arch: an `Architecture` of blocks
        arrays: name -> array of its parameters and running statistics, by
            the names of `d2l_vgg.networks.names`

    `arrays` holds them in float64, `grads` the gradients by name.
    """

    def __init__(self, arch, arrays):
        self.arch = arch
        self.arrays = {n: a.astype('float64') for n, a in arrays.items()}
        self.grads, self.way_back = {}, []

    def forward(self, X, train=False):
        """Return the scores, (batch_size, num_classes)."""
        X, self.way_back = X.astype('float64'), []
        for i, (num_convs, _, num_1x1) in enumerate(self.arch.blocks, 1):
            for j in range(1, num_convs + num_1x1 + 1):
                X = self.conv(f'conv{i}_{j}', X)
                if self.arch.batch_norm:
                    X = self.batch_norm(f'norm{i}_{j}', X, train)
                X = self.relu(X)
            if self.arch.lrn and i == 1:
                X = self.lrn(X)
            X = self.pool(X)
        X = self.flatten(X)
        for i in range(1, len(self.arch.hidden) + 1):
            X = self.relu(self.dense(f'dense{i}', X))
        return self.dense(f'dense{len(self.arch.hidden) + 1}', X)

    def of(self, name):
        return self.arrays[f'{name}.weight'], self.arrays[f'{name}.bias']

    def keep(self, name, weight, bias):
        self.grads[f'{name}.weight'], self.grads[f'{name}.bias'] = (
            weight,
            bias,
        )

    def conv(self, name, X):
        weight, bias = self.of(name)

        def back(dY):
            dX, *grads = conv_backward(X, weight, dY)
            self.keep(name, *grads)
            return dX

        self.way_back.append(back)
        return conv(X, weight, bias)

    def dense(self, name, X):
        weight, bias = self.of(name)

        def back(dY):
            self.keep(name, dY.T @ X, dY.sum(0))
            return dY @ weight

        self.way_back.append(back)
        return X @ weight.T + bias

    def batch_norm(self, name, X, train):
        weight, bias = (a[:, None, None] for a in self.of(name))
        axes = (0, 2, 3)
        stats = [f'{name}.running_mean', f'{name}.running_var']
        if train:
            for stat, now in zip(stats, (X.mean(axes), X.var(axes))):
                self.arrays[stat] = (
                    KEPT * self.arrays[stat] + (1 - KEPT) * now
                )
            mean = X.mean(axes, keepdims=True)
            sd = np.sqrt(X.var(axes, keepdims=True) + EPSILON)
        else:
            mean, var = (self.arrays[s][:, None, None] for s in stats)
            sd = np.sqrt(var + EPSILON)
        normal = (X - mean) / sd

        def back(dY):
            assert train
            self.keep(name, (dY * normal).sum(axes), dY.sum(axes))
            along = normal * (dY * normal).mean(axes, keepdims=True)
            return weight / sd * (dY - dY.mean(axes, keepdims=True) - along)

        self.way_back.append(back)
        return weight * normal + bias

    def relu(self, X):
        self.way_back.append(lambda dY: dY * (X > 0))
        return np.maximum(X, 0)

    def lrn(self, X):
        alpha, beta = 1e-4 / 5, 0.75
        strength = 2 + alpha * over_five_channels(X**2)

        def back(dY):
            shared = over_five_channels(dY * X * strength ** (-beta - 1))
            return dY * strength**-beta - 2 * alpha * beta * X * shared

        self.way_back.append(back)
        return X * strength**-beta

    def pool(self, X):
        Y, where = max_pool(X)
        self.way_back.append(lambda dY: max_pool_backward(X, where, dY))
        return Y

    def flatten(self, X):
        self.way_back.append(lambda dY: dY.reshape(X.shape))
        return X.reshape(len(X), -1)

    def loss(self, X, y, label_smoothing=0):
        """Return the mean cross-entropy, and leave its gradients behind."""
        scores = self.forward(X, train=True)
        num_classes = scores.shape[1]
        shifted = scores - scores.max(1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
        wanted = (1 - label_smoothing) * np.eye(num_classes)[y]
        wanted += label_smoothing / num_classes
        d = (np.exp(log_p) - wanted) / len(y)
        for back in reversed(self.way_back):
            d = back(d)
        return -(wanted * log_p).sum(1).mean()

    def judge(self, X, y):
        """Return the mean cross-entropy and the accuracy, as it predicts."""
        scores = self.forward(X)
        log_p = scores - np.log(np.exp(scores).sum(1, keepdims=True))
        right = scores.argmax(1) == y
        return -log_p[np.arange(len(y)), y].mean(), right.mean()

    def fit(
        self,
        batches,
        rates,
        momentum=0,
        weight_decay=0,
        gradient_clip_val=0,
        label_smoothing=0,
    ):
        """Train on minibatches with these rates; return the losses.

        `velocities` are what the last step has added, by name.
        """
        losses, self.velocities = [], {}
        for (X, y), lr in zip(batches, rates):
            losses.append(self.loss(X, y, label_smoothing))
            squares = sum((grad**2).sum() for grad in self.grads.values())
            scale = 1
            if gradient_clip_val:
                scale = min(1, gradient_clip_val / np.sqrt(squares))
            for name, grad in self.grads.items():
                w, v = self.arrays[name], self.velocities.get(name, 0)
                v = momentum * v - lr * (scale * grad + weight_decay * w)
                self.velocities[name] = v
                self.arrays[name] = w + v
        return losses
