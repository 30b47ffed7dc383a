"""What a reader may write himself in PyTorch, and what he sees of it."""

import torch
from torch import nn
from torch.utils import data

from d2l_vgg.torch import VGG, Classifier, vgg_block
from d2l_vgg.torch.layers import LazyLinear

SPARE_READS = 0


class Adam(VGG):
    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=0.01)


class Descent:
    """Gradient descent from scratch."""

    def __init__(self, params, lr):
        self.params, self.lr = params, lr

    def zero_grad(self):
        for param in self.params:
            param.grad = None

    def step(self):
        for param in self.params:
            param -= self.lr * param.grad


class Scratch(Classifier):
    """Softmax regression without a layer or an optimizer of PyTorch's."""

    def __init__(self, lr=0.1):
        super().__init__()
        self.save_hyperparameters()
        self.W = torch.zeros(784, 10, requires_grad=True)

    def forward(self, X):
        return X.reshape(len(X), -1) @ self.W

    def configure_optimizers(self):
        return Descent([self.W], self.lr)


class Written(Classifier):
    """A class as a reader writes it: blocks, and layers of PyTorch's."""

    def __init__(self, lr=0.02):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(
            vgg_block(1, 4, batch_norm=True),
            vgg_block(1, 8, batch_norm=True),
            nn.Flatten(),
            LazyLinear(32),
            nn.ReLU(),
            nn.Dropout(0.5),
            LazyLinear(10),
        )


class Bare(nn.Module):
    """No class of ours: all that the trainer asks for, and nothing more."""

    plot_train_per_epoch, plot_valid_per_epoch = 2, 1

    def __init__(self, lr=0.1):
        super().__init__()
        self.lr = lr
        self.net = nn.Sequential(nn.Flatten(), nn.LazyLinear(10))

    def forward(self, X):
        return self.net(X)

    def training_step(self, batch):
        loss = nn.functional.cross_entropy(self(batch[0]), batch[1])
        self.plot('loss', loss, train=True)
        return loss

    def validation_step(self, batch):
        loss = nn.functional.cross_entropy(self(batch[0]), batch[1])
        self.plot('loss', loss, train=False)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.lr)


# What the training of such a class cannot be asked for
UNSUPPORTED = {
    Bare: (
        'momentum',
        'weight_decay',
        'label_smoothing',
        'test_flip',
        'precision',
    ),
    Scratch: ('momentum', 'lr_schedule'),
}


def loader(images, labels, shuffle, num_workers=0):
    """Return PyTorch's own DataLoader."""
    X = torch.tensor(images[:, None] / 255, dtype=torch.float32)
    pairs = data.TensorDataset(X, torch.tensor(labels))
    return data.DataLoader(
        pairs, batch_size=32, shuffle=shuffle, num_workers=num_workers
    )


def draw():
    torch.rand(1000)


def count_reads(monkeypatch):
    """Return a list that grows with each tensor that is read."""
    reads = []
    for name in '__float__', 'item', 'numpy', '__bool__', 'tolist':
        read = getattr(torch.Tensor, name)

        def counted(self, *args, read=read, **kwargs):
            reads.append(self)
            return read(self, *args, **kwargs)

        monkeypatch.setattr(torch.Tensor, name, counted)
    return reads


def compute_with_other_threads(monkeypatch):
    """Return how many the next training tells that it computes with."""
    monkeypatch.setattr(torch, 'get_num_threads', lambda: 77)
    return 77


def pretend_gpus(monkeypatch, found):
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: found)
