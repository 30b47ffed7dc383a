"""A VGG in plain NumPy and float64, forward and backward.

Written from the definitions, loop by loop and without any framework, to hold
the frameworks' networks against.
"""

import numpy as np


def conv3x3(X, weight, bias):
    """Cross-correlate X (n, c, h, w) with weight (o, c, 3, 3), padding 1."""
    n, _, h, w = X.shape
    padded = np.pad(X, ((0, 0), (0, 0), (1, 1), (1, 1)))
    Y = np.zeros((n, len(weight), h, w)) + bias[:, None, None]
    for i in range(3):
        for j in range(3):
            window = padded[:, :, i : i + h, j : j + w]
            Y += np.einsum('nchw,oc->nohw', window, weight[:, :, i, j])
    return Y


def conv3x3_backward(X, weight, dY):
    """Return the gradients with respect to X, weight and bias."""
    _, _, h, w = X.shape
    padded = np.pad(X, ((0, 0), (0, 0), (1, 1), (1, 1)))
    d_padded, d_weight = np.zeros_like(padded), np.zeros_like(weight)
    for i in range(3):
        for j in range(3):
            window = padded[:, :, i : i + h, j : j + w]
            d_weight[:, :, i, j] = np.einsum('nohw,nchw->oc', dY, window)
            d_padded[:, :, i : i + h, j : j + w] += np.einsum(
                'nohw,oc->nchw', dY, weight[:, :, i, j]
            )
    return d_padded[:, :, 1:-1, 1:-1], d_weight, dY.sum((0, 2, 3))


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


def loss_and_gradients(blocks, params, X, y):
    """Run a VGG without dropout; return scores, mean loss and gradients.

    Args:
        blocks: pairs (num_convs, num_channels)
        params: weight, bias, weight, bias ... in the order of the layers
        X: images, of shape (batch_size, num_channels, height, width)
        y: classes, of shape (batch_size,)
    """
    params = [p.astype(np.float64) for p in params]
    X = X.astype(np.float64)
    saved, i = [], 0
    for num_convs, _ in blocks:
        for _ in range(num_convs):
            Z = conv3x3(X, params[i], params[i + 1])
            saved.append(('conv', i, X, Z))
            X, i = np.maximum(Z, 0), i + 2
        Y, where = max_pool(X)
        saved.append(('pool', None, X, where))
        X = Y
    shape = X.shape
    X = X.reshape(len(X), -1)
    while i < len(params):
        last = i + 2 == len(params)
        Z = X @ params[i].T + params[i + 1]
        saved.append(('dense', i, X, None if last else Z))
        X, i = Z if last else np.maximum(Z, 0), i + 2
    scores = X
    shifted = scores - scores.max(1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    rows = np.arange(len(y))
    loss = -log_p[rows, y].mean()
    d = np.exp(log_p)
    d[rows, y] -= 1
    d /= len(y)
    grads = [None] * len(params)
    for kind, i, X, Z in reversed(saved):
        if kind == 'dense':
            d = d if Z is None else d * (Z > 0)
            grads[i], grads[i + 1] = d.T @ X, d.sum(0)
            d = d @ params[i]
        elif kind == 'pool':
            d = d.reshape(shape) if d.ndim == 2 else d
            d = max_pool_backward(X, Z, d)
        else:
            d = d * (Z > 0)
            d, grads[i], grads[i + 1] = conv3x3_backward(X, params[i], d)
    return scores, loss, grads
