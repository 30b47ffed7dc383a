"""One side of the benchmark: trains so many steps as it is told to.

Reads numbers of steps from its input, and answers each with the seconds that
they took. Run by `d2l_vgg.book.bench`.
"""

import json
import os
import sys
import time

from d2l_vgg import compatibility
from d2l_vgg.book import stock
from d2l_vgg.book.bench import MARK
from d2l_vgg.networks.architectures import get

request = json.loads(sys.argv[1])
if request['side'] == 'stock':
    os.environ.pop('OMP_NUM_THREADS', None)
compatibility.prepare(all_cores=request['side'] != 'stock')

import mxnet as mx  # noqa: E402
from d2l import mxnet as d2l  # noqa: E402
from mxnet import init, npx  # noqa: E402
from mxnet.gluon import nn  # noqa: E402

npx.set_np()


class Told:
    """A DataLoader without end that hands out minibatches when told to.

    Everything else that happens between two minibatches is the trainer's
    own: `fit` is called once and never returns.
    """

    def __init__(self, dataloader):
        self.dataloader = dataloader
        self.left, self.start = 0, None

    def __len__(self):
        return len(self.dataloader)

    def __iter__(self):
        while True:
            for batch in self.dataloader:
                if self.left == 0:
                    self.next_round()
                self.left -= 1
                yield batch

    def next_round(self):
        """Tell how long the last round took, and wait for the next."""
        mx.nd.waitall()
        seconds = self.start and time.perf_counter() - self.start
        print(MARK + json.dumps(seconds), flush=True)
        line = sys.stdin.readline()
        if not line:
            os._exit(0)
        self.left, self.start = int(line), time.perf_counter()


def make_stock():
    """Return the section's model and the book's trainer and data."""

    def vgg_block(num_convs, num_channels):
        blk = nn.Sequential()
        for _ in range(num_convs):
            blk.add(
                nn.Conv2D(
                    num_channels, kernel_size=3, padding=1, activation='relu'
                )
            )
        blk.add(nn.MaxPool2D(pool_size=2, strides=2))
        return blk

    class VGG(d2l.Classifier):
        def __init__(self, arch, lr=0.1, num_classes=10):
            super().__init__()
            self.save_hyperparameters()
            self.net = nn.Sequential()
            for num_convs, num_channels in arch:
                self.net.add(vgg_block(num_convs, num_channels))
            self.net.add(
                nn.Dense(4096, activation='relu'),
                nn.Dropout(0.5),
                nn.Dense(4096, activation='relu'),
                nn.Dropout(0.5),
                nn.Dense(num_classes),
            )
            self.net.initialize(init.Xavier())

    # Gluon would download its own archive; which images they are does not
    # change what the loader does with them
    stock.offer_data('mxnet', request['root'])
    size = request['size']
    data = d2l.FashionMNIST(request['batch_size'], resize=(size, size))
    blocks = [block[:2] for block in get('vgg_small').blocks]
    model = VGG(blocks, lr=0.01)
    return model, d2l.Trainer(1, num_gpus=request['num_gpus']), data


def make_ours(precision='float32'):
    """Return this package's model, trainer and data."""
    from d2l_vgg import mxnet as d2l_vgg

    size = request['size']
    data = d2l_vgg.FashionMNIST(
        request['batch_size'], resize=(size, size), root=request['root']
    )
    model = d2l_vgg.VGG('vgg_small', lr=0.01)
    trainer = d2l_vgg.Trainer(
        1,
        num_gpus=request['num_gpus'],
        seed=0,
        precision=precision,
        display='none',
    )
    return model, trainer, data


def main():
    if request['side'] == 'ours':
        model, trainer, data = make_ours()
    elif request['side'] == 'ours, bfloat16':
        model, trainer, data = make_ours('bfloat16')
    else:
        model, trainer, data = make_stock()
    told = Told(data.train_dataloader())
    data.train_dataloader = lambda: told
    data.val_dataloader = lambda: None
    trainer.fit(model, data)


if __name__ == '__main__':
    main()
