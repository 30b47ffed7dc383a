"""The first losses of short trainings, measured and recorded.

`python tests/helpers/golden_losses.py FRAMEWORK...` writes those of these
frameworks to tests/golden_losses.json. That is for a change which is meant to
train in another way, and for a version of a framework that draws other
numbers; say in the commit why the losses are others.
"""

import dataclasses
import json
import sys
from pathlib import Path

from processes import run_python

from d2l_vgg import frameworks, machine
from d2l_vgg.commands import making
from d2l_vgg.training.experiments import get_experiment

RECORD = Path(__file__).parents[1] / 'golden_losses.json'
NUM_STEPS = 20
EXPERIMENTS = {
    # With the moves and the loss of `best`, which itself takes too long
    'quick': dataclasses.replace(
        get_experiment('quick'), flip=True, shift=1, label_smoothing=0.1
    ),
    'book': dataclasses.replace(
        get_experiment('book'), resize=64, batch_size=16, draw='seed'
    ),
}
# What the frameworks read as they are imported. Several threads add numbers
# in another order, which moves even the first loss. So does MXNet's oneDNN
# with AVX-512, whose batch normalization rounds otherwise (by 3e-6)
ENVIRONMENT = {
    'DNNL_MAX_CPU_ISA': 'AVX2',
    'OMP_NUM_THREADS': '1',
    'TF_NUM_INTRAOP_THREADS': '1',
    'TF_NUM_INTEROP_THREADS': '1',
    'NPROC': '1',
    'XLA_FLAGS': '--xla_cpu_multi_thread_eigen=false',
    'JAX_PLATFORMS': 'cpu',
    'CUDA_VISIBLE_DEVICES': '',
}


def train(package, experiment):
    """Return the loss of each minibatch of an epoch of `NUM_STEPS`."""
    data = package.FashionMNIST(
        experiment.batch_size,
        experiment.resize,
        num_train=NUM_STEPS * experiment.batch_size,
        num_val=1,
        flip=experiment.flip,
        shift=experiment.shift,
    )
    model = making.make_model(package, experiment, data.classes)
    model.plot_train_per_epoch = NUM_STEPS
    one_epoch = dataclasses.replace(experiment, max_epochs=1)
    trainer = making.make_trainer(package, one_epoch, display='none')
    history = trainer.fit(model, data)
    return [loss for _, loss in history.points['train_loss']]


def train_all(name):
    """Return the losses of each experiment in this framework."""
    package = frameworks.load(name)
    return {key: train(package, e) for key, e in EXPERIMENTS.items()}


def measure(name, **variables):
    """Return what `train_all` does in a process with one thread.

    `variables` are set in its environment, too.
    """
    code = (
        'import json, golden_losses\n'
        f'print(json.dumps(golden_losses.train_all({name!r})))'
    )
    helpers = str(Path(__file__).parent)
    variables = {**ENVIRONMENT, 'PYTHONPATH': helpers, **variables}
    # JAX compiles for a minute where the machine is busy
    return json.loads(run_python(code, timeout=600, **variables))


def record(name):
    """Write the losses of this framework, and keep those of the others."""
    known = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    versions = machine.versions(name)
    del versions['d2l-vgg']
    known[name] = {
        'versions': versions,
        'processor': machine.processor(),
        'losses': measure(name),
    }
    known = {n: known[n] for n in frameworks.FRAMEWORKS if n in known}
    RECORD.write_text(json.dumps(known, indent=1) + '\n')


if __name__ == '__main__':
    for name in sys.argv[1:]:
        record(name)
