"""What is tried in a process of its own, since it may crash or hang there.

Each function yields what it has found out, step by step: the last one tells
how far it came. `probing.py` runs them.
"""

import json
import os
import sys

from d2l_vgg import cuda, frameworks, messages, nvml


def framework(name):
    """Train a tiny network in a framework, on the CPU and on the GPU."""
    package = frameworks.load(name)
    yield {'imports': True}
    yield _train(package, 0)
    # Means the CPU, too, where the framework sees no GPU
    if not package.Trainer(1, 1, display='none').on_cpu:
        yield {'sees_gpu': True}
        yield _train(package, 1)


def _train(package, num_gpus):
    data = package.FashionMNIST(32, num_train=32, num_val=32)
    model = package.VGG(((1, 4), (1, 8)), lr=0.1)
    trainer = package.Trainer(1, num_gpus, display='none', seed=0)
    loss = trainer.fit(model, data).final['train_loss']
    return {'on_gpu' if num_gpus else 'on_cpu': loss}


def numpy():
    """Compute with NumPy."""
    import numpy as np

    yield {'version': np.__version__}
    yield {'sum': float((np.ones((8, 8), np.float32) @ np.ones(8)).sum())}


def driver():
    """Ask NVIDIA's driver what there is."""
    found = nvml.driver()
    yield {'driver': found and {**found._asdict(), 'gpus': found.gpus}}


def libraries():
    """Load the CUDA libraries that MXNet's wheels for GPUs need."""
    yield {'missing': cuda.missing_libraries()}


PROBES = {
    probe.__name__: probe for probe in (framework, numpy, driver, libraries)
}


def main(name, *args):
    """Write what a probe yields to stdout, a line of JSON each."""
    # What the libraries print is not to get between the lines
    told = os.fdopen(os.dup(1), 'w', encoding='utf-8')
    os.dup2(2, 1)

    def tell(fact):
        print(json.dumps(fact), file=told, flush=True)

    try:
        for fact in PROBES[name](*args):
            tell(fact)
        tell({'whole': True})
    except BaseException as error:  # Some libraries raise SystemExit
        tell({'error': messages.explain(error), 'type': type(error).__name__})
        sys.exit(1)
