"""Layers initialized and normalized as those of the other frameworks."""

import torch
from torch import nn
from torch.nn import functional as F


class Xavier:
    """Mixed into a lazy layer: how its parameters begin once it has a shape.

    Weights are drawn from the uniform distribution of Glorot and Bengio
    (2010), and biases are zero, as in the book's section.
    """

    def initialize_parameters(self, X):
        if self.has_uninitialized_params():
            super().initialize_parameters(X)
            nn.init.xavier_uniform_(self.weight)
            nn.init.zeros_(self.bias)


class LazyConv2d(Xavier, nn.LazyConv2d):
    """A convolution that asks its first input for the channels."""


class LazyLinear(Xavier, nn.LazyLinear):
    """A fully connected layer that asks its first input for the inputs."""


class BatchNorm2d(nn.BatchNorm2d):
    """Batch normalization that keeps the variance it has normalized with.

    PyTorch's own keeps n / (n - 1) of it, for n numbers of a channel.
    """

    def __init__(self, num_features):
        super().__init__(num_features)
        self.num_batches_tracked = None  # Only for a cumulative average

    def forward(self, X):
        if not self.training:
            return super().forward(X)
        mean = torch.zeros_like(self.running_mean)
        var = torch.zeros_like(self.running_var)
        # With a momentum of 1, what comes back is this minibatch's alone
        Y = F.batch_norm(
            X, mean, var, self.weight, self.bias, True, 1.0, self.eps
        )
        n = X.numel() // X.shape[1]
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(var * ((n - 1) / n), self.momentum)
        return Y


class BFloat16Sequential(nn.Sequential):
    """A block in bfloat16, as which it gives its output to a further one."""

    def forward(self, X):
        with torch.autocast(X.device.type, torch.bfloat16):
            Y = super().forward(X)
            return Y if self.followed else Y.float()


# The class of a block for each precision
BLOCKS = {'float32': nn.Sequential, 'bfloat16': BFloat16Sequential}
