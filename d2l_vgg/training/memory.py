"""Refuse a training that the memory of this machine cannot hold."""

from d2l_vgg import machine
from d2l_vgg.networks import costs

# What a process takes besides `costs.training_bytes`: the highest anonymous
# memory of `d2l-vgg train` with `quick`, less those (MXNet 1.9.1, PyTorch
# 2.13.0, TensorFlow 2.21.0, JAX 0.10.2; Python 3.11, Linux x86-64, one core)
FRAMEWORK_MIB = {'mxnet': 250, 'torch': 350, 'tensorflow': 400, 'jax': 430}

# A framework takes more than the least, and what is freed has gaps
AMPLE = 3


def own_bytes(framework):
    """Return what a framework takes by itself, 0 if nobody has measured."""
    return FRAMEWORK_MIB.get(framework, 0) * 2**20


def is_ample(needed):
    """Return whether there is far more memory than the least, `needed`."""
    there_is = machine.available_memory()
    return there_is is None or there_is >= AMPLE * needed


def least_bytes(experiment):
    """Return the bytes that an `Experiment` takes besides its framework."""
    return costs.training_bytes(
        experiment.arch,
        (1, experiment.resize, experiment.resize),
        experiment.batch_size,
        10,
        experiment.momentum,
        experiment.precision,
    )


def check_fit(trainer, model, data):
    """Raise ValueError if the memory cannot hold our network and our data.

    Returns the bytes that they take at the least besides the framework, None
    if that is not known.
    """
    # Of what a reader has written, nobody knows the size beforehand
    ours = {type(each).__module__.split('.')[0] for each in (model, data)}
    # That images are too small, the network itself tells
    if (
        not trainer.on_cpu
        or ours != {'d2l_vgg'}
        or min(data.resize) < model.arch.smallest_input
    ):
        return None
    width, height = data.resize
    least = costs.training_bytes(
        model.arch,
        (1, height, width),
        data.batch_size,
        model.num_classes,
        trainer.momentum,
        trainer.precision,
    )
    # This process may have a part of it already, or more
    own = own_bytes(trainer.framework)
    needed = least + max(0, own - machine.taken_memory())
    there_is = machine.available_memory()
    if there_is is not None and there_is < needed:
        raise ValueError(
            f'Training this network on minibatches of {data.batch_size} '
            f'images of {height} x {width} pixels takes at least '
            f'{costs.memory_text(needed)} of memory, but there are '
            f'{costs.memory_text(there_is)}: choose a smaller batch_size, '
            'resize or arch.'
        )
    return least
