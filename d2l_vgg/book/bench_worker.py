"""One side of the benchmark: trains so many steps as it is told to.

Its argument is a `bench.Side` and what it is to be measured with, in JSON. It
reads numbers of steps from its input, and answers each with the seconds that
they took. Run by `d2l_vgg.book.bench_process`.
"""

import importlib
import json
import os
import sys
import time

from d2l_vgg import frameworks, messages
from d2l_vgg.book import section
from d2l_vgg.book.bench_process import MARK


class Told:
    """Hands out minibatches when told to, as a loader without end, too.

    Everything else that happens between two minibatches is the trainer's
    own: `fit` is called once and never returns.

    Args:
        loader: of minibatches
        wait: is called to wait until the device has done all its work
    """

    def __init__(self, loader, wait):
        self.loader, self.wait = loader, wait
        self.left, self.start = 0, None

    def __len__(self):
        return len(self.loader)

    def __iter__(self):
        while True:
            yield from self.handed_out(self.loader)

    def handed_out(self, batches):
        for batch in batches:
            if self.left == 0:
                self.next_round()
            self.left -= 1
            yield batch

    def next_round(self):
        """Tell how long the last round took, and wait for the next."""
        self.wait()
        tell(self.start and time.perf_counter() - self.start)
        line = sys.stdin.readline()
        if not line:
            os._exit(0)
        self.left, self.start = int(line), time.perf_counter()


def tell(message):
    """Tell the benchmark what JSON can say."""
    print(MARK + json.dumps(message), flush=True)


def waiter(framework):
    """Return a function that waits until the device has done its work."""
    module = importlib.import_module(framework)
    if framework == 'mxnet':
        return module.nd.waitall
    if framework == 'tensorflow':
        return module.test.experimental.sync_devices
    if framework == 'jax':
        return lambda: module.block_until_ready(module.live_arrays())
    on_gpu = module.cuda.is_available()
    return module.cuda.synchronize if on_gpu else lambda: None


def check_device(framework, num_gpus):
    """Refuse to measure a GPU that the framework does not use.

    Stock d2l, as our trainer, would take the processor without a word.

    Raises:
        ValueError: it sees none.
    """
    module = importlib.import_module(framework)
    if not num_gpus:
        return
    if framework == 'mxnet':
        found = module.context.num_gpus()
    elif framework == 'torch':
        found = module.cuda.device_count()
    elif framework == 'tensorflow':
        found = len(module.config.list_physical_devices('GPU'))
    else:
        found = [d for d in module.devices() if d.platform == 'gpu']
    if not found:
        raise ValueError(
            f'num_gpus is {num_gpus}, but '
            f'{frameworks.FRAMEWORKS[framework].title} sees no GPU here: '
            '`d2l-vgg doctor` tells why; --num-gpus 0 measures the CPU.'
        )


def train_stock(request):
    """Train the section's network as stock d2l does, without validation."""
    framework = request['framework']
    model, trainer, data = section.make(
        framework,
        request['size'],
        request['batch_size'],
        request['root'],
        request['all_cores'],
    )
    # Which needs no word for TensorFlow: it places all on a GPU that it sees
    check_device(framework, request['num_gpus'])
    told = Told(data.train_dataloader(), waiter(framework))
    data.train_dataloader = lambda: told
    data.val_dataloader = lambda: None
    trainer.fit(model, data)


def train_ours(request):
    """Train this package's network likewise, with its own loader."""
    package = frameworks.load(request['framework'])
    check_device(request['framework'], request['num_gpus'])
    size = (request['size'], request['size'])
    data = package.FashionMNIST(
        request['batch_size'], resize=size, root=request['root']
    )
    model = package.VGG('vgg_small', lr=0.01)
    trainer = package.Trainer(
        10**6,
        num_gpus=request['num_gpus'],
        seed=0,
        precision=request['precision'],
        display='none',
    )
    told = Told((), waiter(request['framework']))
    minibatches = trainer.minibatches
    trainer.minibatches = lambda *args: told.handed_out(minibatches(*args))
    data.val_dataloader = lambda: None
    trainer.fit(model, data)


def main():
    request = json.loads(sys.argv[1])
    train = train_stock if request['stock'] else train_ours
    try:
        train(request)
    except Exception as error:
        tell({'failed': messages.explain(error)})


if __name__ == '__main__':
    main()
