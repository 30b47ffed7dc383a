"""Softmax regression and its training in NumPy, to try the loop by itself.

`Trainer` notes the labels of the minibatches as they come.
"""

import numpy as np

from d2l_vgg.training import loop


class Softmax:
    """A linear classifier of images of 28 x 28 pixels."""

    plot_train_per_epoch, plot_valid_per_epoch = 2, 1
    # Its trainer does all of it
    training_step = validation_step = configure_optimizers = None

    def __init__(self, num_classes=10, lr=0.1):
        self.lr = lr
        self.W = np.zeros((784, num_classes))

    def accuracy(self, Y_hat, y):
        return np.mean(Y_hat.argmax(1) == y)


class Trainer(loop.Trainer):
    on_cpu = True
    framework = 'numpy'

    def find_device(self, num_gpus):
        return None

    def seed_device(self, seed):
        pass

    def prepare_model(self, model):
        self.seen, self.seen_val = [], []
        return model.W.shape[1]

    def labels(self, batch):
        return np.asarray(batch[-1])

    def forward(self, batch):
        return batch[0].reshape(-1, 784) @ self.model.W

    def probabilities(self, batch):
        scores = np.exp(self.forward(batch))
        return scores / scores.sum(1, keepdims=True)

    def loss(self, P, y):
        return -np.log(P[np.arange(len(y)), np.asarray(y, int)]).mean()

    def train_step(self, batch, lr=None):
        X, y = batch
        self.seen += list(y)
        P = self.probabilities(batch)
        loss = self.loss(P, y)
        P[np.arange(len(y)), np.asarray(y, int)] -= 1
        gradient = X.reshape(-1, 784).T @ P / len(y)
        self.model.W -= (lr or self.lr) * gradient
        return {'loss': loss}

    def validation_step(self, batch):
        self.seen_val += list(batch[-1])
        P = self.probabilities(batch)
        return {
            'loss': self.loss(P, batch[-1]),
            'acc': self.model.accuracy(P, batch[-1]),
        }

    def wait_for(self, value):
        pass

    def arrays(self):
        return {'W': self.model.W, 'optimizer': np.zeros(0)}

    def load_arrays(self, arrays):
        self.model.W = arrays['W']
