"""torchvision's VGGs, written down a second time in plain PyTorch layers.

Their names are held against torchvision's own in
`networks/test_torchvision_names.py`.
"""

import torch
from torch import nn

# Channels of the convolutions, 0 for a pooling: Table 1 of the paper
LAYERS = {
    'vgg11': '64 0 128 0 256 256 0 512 512 0 512 512 0',
    'vgg13': '64 64 0 128 128 0 256 256 0 512 512 0 512 512 0',
    'vgg16': '64 64 0 128 128 0 256 256 256 0 512 512 512 0 512 512 512 0',
    'vgg19': '64 64 0 128 128 0 256 256 256 256 0 512 512 512 512 0 '
    '512 512 512 512 0',
}


class VGG(nn.Module):
    def __init__(self, name, num_classes=1000):
        super().__init__()
        depth, _, norm = name.partition('_')
        layers, channels = [], 3
        for width in map(int, LAYERS[depth].split()):
            if width == 0:
                layers.append(nn.MaxPool2d(2, 2))
                continue
            layers.append(nn.Conv2d(channels, width, 3, padding=1))
            if norm:
                layers.append(nn.BatchNorm2d(width))
            layers.append(nn.ReLU(inplace=True))
            channels = width
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Linear(4096, num_classes),
        )

    def forward(self, X):
        return self.classifier(self.avgpool(self.features(X)).flatten(1))


@torch.no_grad()
def drawn(name, num_classes):
    """Return such a network, every parameter and statistic of it random.

    Its activations keep their size from layer to layer.
    """
    torch.manual_seed(0)
    with torch.device('meta'):  # To draw once, not twice
        net = VGG(name, num_classes)
    net = net.to_empty(device='cpu').eval()
    for layer in net.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')
            layer.bias.uniform_(-0.2, 0.2)
        if isinstance(layer, nn.BatchNorm2d):
            layer.weight.uniform_(0.5, 1.5)
            layer.bias.uniform_(-0.5, 0.5)
            layer.running_mean.uniform_(-0.5, 0.5)
            layer.running_var.uniform_(0.5, 1.5)
            layer.num_batches_tracked.fill_(7)
    return net
