"""The data, the network and the trainer of an experiment.

Here `package` is the folder of a framework: see `d2l_vgg/frameworks.py`.
"""

import dataclasses
import gc
import inspect

from d2l_vgg import frameworks
from d2l_vgg.networks import architectures
from d2l_vgg.training import estimate, interrupts, memory

# What a run uses of the data, besides where they are
SELECTION = ('num_train', 'num_val')


def load_framework(name):
    gc.disable()  # What is imported stays, and takes long to be searched
    try:
        with interrupts.ending():
            return frameworks.load(name)
    finally:
        gc.freeze()
        gc.enable()


def make_data(package, experiment, root, selection):
    """Return the data of `experiment`, Fashion-MNIST if `root` is None.

    `selection` has a value or None for each of `SELECTION`.
    """
    size = experiment.resize, experiment.resize
    moves = {'flip': experiment.flip, 'shift': experiment.shift}
    return package.FashionMNIST(
        experiment.batch_size, size, root=root, **moves, **selection
    )


def make_data_of(run, root, package):
    """Return the data that `run` began with, which may be in `root` now."""
    before = run.info['data']
    selection = {name: before.get(name) for name in SELECTION}
    root = root or before.get('root')
    return make_data(package, run.experiment, root, selection)


def make_model(package, experiment, classes):
    """Return the network of `experiment` for these classes, not trained."""
    settings = {'lr': experiment.lr, 'num_classes': len(classes)}
    return package.VGG(experiment.arch, **settings)


def make_trainer(package, experiment, **options):
    """Return the trainer of `experiment`; `options` change no result."""
    taken = inspect.signature(package.Trainer).parameters
    settings = {n: v for n, v in vars(experiment).items() if n in taken}
    return package.Trainer(**settings, **options)


def estimate_seconds(package, experiment, num_gpus):
    """Tell from few images how long it takes, None where memory is short."""
    short = dataclasses.replace(experiment, max_epochs=1)
    framework = package.Trainer.framework
    if not memory.is_ample(memory.experiment_bytes(short, framework)):
        return None
    few = dict.fromkeys(SELECTION, 2 * short.batch_size)
    data = make_data(package, short, None, few)
    trainer = make_trainer(package, short, num_gpus=num_gpus, display='none')
    model = make_model(package, short, data.classes)
    batches = 60000 / short.batch_size
    if trainer.on_cpu:
        step, val = estimate.seconds_of_steps(trainer, model, data)
        return experiment.max_epochs * batches * (step + val / 6)
    trainer.prepare(model, data)  # A step would have to be compiled
    seconds = estimate.epoch_seconds(trainer, batches, batches / 6)
    return experiment.max_epochs * seconds


def in_best_precision(package, experiment, num_gpus=0):
    """Return `experiment`, in float32 where its type gains nothing."""
    trainer = package.Trainer(1, num_gpus, display='none')
    reason = trainer.no_gain(experiment.precision)
    if not reason:
        return experiment
    print(f'Computing in float32: {experiment.precision} {reason}.')
    return dataclasses.replace(experiment, precision='float32')


def as_published(experiment, framework):
    """Return `experiment` as that framework's published runs computed it.

    Those of TensorFlow trained without dropout: the book's trainer does not
    tell the network that it is training.
    """
    arch = architectures.get(experiment.arch)
    if experiment.draw != 'published' or framework != 'tensorflow':
        return experiment
    arch = dataclasses.replace(arch, dropout=0)
    return dataclasses.replace(experiment, arch=arch)
