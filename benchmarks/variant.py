"""Train one variant for some seconds, and tell how many images a second.

Run by `bench.py`, in a process of its own, with what it is to do as JSON.
Whatever happens between two minibatches is the trainer's own: `fit` is called
once, as a reader calls it.
"""

import importlib
import itertools
import json
import os
import sys
import time

import bare_step
import section

from d2l_vgg import children, frameworks, machine, messages

# Lines that are meant for `bench.py` begin with this
MARK = '@bench '
# Before the clock starts: what compiles, and what fills the queues of loaders
WARM_UP = 3


class Clock:
    """Hands out minibatches without end, and ends the process in time.

    Args:
        loader: of minibatches
        request: `framework`, `seconds` to measure for, `batch_size`
    """

    def __init__(self, loader, request):
        self.loader, self.request = loader, request
        # Waits until the device has done all its work
        self.wait = waiter(request['framework'])
        self.steps, self.start = -WARM_UP, None

    def __len__(self):
        return len(self.loader)

    def __iter__(self):
        while True:
            yield from self.handed_out(self.loader)

    def handed_out(self, batches):
        for batch in batches:
            if self.steps == 0:
                self.wait()
                tell({'ready': True})
                self.start = time.perf_counter()
            # Two at least, so that no beginning is taken for the whole
            elif self.steps > 1 and self.seconds() >= self.request['seconds']:
                self.wait()
                images = self.steps * self.request['batch_size']
                speed = images / self.seconds()
                versions = machine.versions(self.request['framework'])
                tell({'speed': speed, 'versions': versions})
                os._exit(0)
            self.steps += 1
            yield batch

    def seconds(self):
        return time.perf_counter() - self.start


def tell(message):
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


def train_stock(request):
    """Train the section's network as stock d2l does, without validation."""
    asked = ('framework', 'size', 'batch_size', 'all_cores')
    model, trainer, data = section.make(*(request[name] for name in asked))
    clock = Clock(data.train_dataloader(), request)
    data.train_dataloader = lambda: clock
    data.val_dataloader = lambda: None
    trainer.fit(model, data)


def train_ours(request):
    """Train this package's network likewise, with its own loader."""
    package = frameworks.load(request['framework'])
    size = (request['size'], request['size'])
    data = package.FashionMNIST(request['batch_size'], resize=size)
    model = package.VGG('vgg_small', lr=0.01)
    trainer = package.Trainer(
        10**6,
        num_gpus=request['num_gpus'],
        seed=0,
        precision=request['precision'],
        display='none',
    )
    if request['num_gpus'] and trainer.on_cpu:
        raise ValueError(
            f'num_gpus is 1, but {request["framework"]} sees no GPU here: '
            '`d2l-vgg doctor` tells why; --num-gpus 0 measures the CPU.'
        )
    if not request['compiled']:
        model.compile = lambda: None
    clock = Clock((), request)
    minibatches = trainer.minibatches
    trainer.minibatches = lambda *args: clock.handed_out(minibatches(*args))
    data.val_dataloader = lambda: None
    trainer.fit(model, data)


def train_bare(request):
    """Repeat the step of `bare_step`."""
    asked = ('framework', 'size', 'batch_size', 'precision')
    step = bare_step.make(*(request[name] for name in asked))
    for _ in Clock((), request).handed_out(itertools.repeat(None)):
        step()


TRAIN = {'stock': train_stock, 'ours': train_ours, 'bare': train_bare}


def main():
    children.end_with_parent()
    request = json.loads(sys.argv[1])
    try:
        TRAIN[request['code']](request)
    except Exception as error:
        tell({'failed': messages.explain(error)})


if __name__ == '__main__':
    main()
