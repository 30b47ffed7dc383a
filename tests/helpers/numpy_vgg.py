"""The VGG family in plain NumPy and float64, forward, backward and trained.

Written from the definitions and without any framework, to hold the
frameworks' networks against. Dropout is not in it.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

EPSILON = 1e-5  # Of batch normalization
KEPT = 0.9  # Of its running statistics, at each minibatch


def windows(X, size):
    """Return the `size` x `size` pixels around each, (n, c, h, w, k, k)."""
    pad = size // 2
    padded = np.pad(X, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    return sliding_window_view(padded, (size, size), axis=(2, 3))


def conv(X, weight, bias):
    """Cross-correlate X (n, c, h, w) with weight (o, c, k, k), same size."""
    Y = np.einsum(
        'nchwij,ocij->nohw',
        windows(X, weight.shape[-1]),
        weight,
        optimize=True,
    )
    return Y + bias[:, None, None]


def conv_backward(X, weight, dY):
    """Return the gradients with respect to X, weight and bias."""
    d_weight = np.einsum(
        'nohw,nchwij->ocij', dY, windows(X, weight.shape[-1]), optimize=True
    )
    turned = weight[:, :, ::-1, ::-1].swapaxes(0, 1)
    dX = conv(dY, turned, np.zeros(len(turned)))
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
        self.grads.update({f'{name}.weight': weight, f'{name}.bias': bias})

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
            used = X.mean(axes), X.var(axes)
            for stat, now in zip(stats, used):
                before = self.arrays[stat]
                self.arrays[stat] = KEPT * before + (1 - KEPT) * now
        else:
            used = [self.arrays[stat] for stat in stats]
        mean, var = (a[:, None, None] for a in used)
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
        self, batches, rates, momentum=0, weight_decay=0,
        gradient_clip_val=0, label_smoothing=0,
    ):  # fmt: skip
        """Train on minibatches with these rates; return the losses.

        `velocities` are what the last step has added, by name.
        """
        losses, self.velocities = [], {}
        for (X, y), lr in zip(batches, rates):
            losses.append(self.loss(X, y, label_smoothing))
            norm = np.sqrt(sum((g**2).sum() for g in self.grads.values()))
            longest = gradient_clip_val or norm
            scale = min(1, longest / norm)
            for name, grad in self.grads.items():
                w, v = self.arrays[name], self.velocities.get(name, 0)
                v = momentum * v - lr * (scale * grad + weight_decay * w)
                self.velocities[name] = v
                self.arrays[name] = w + v
        return losses
