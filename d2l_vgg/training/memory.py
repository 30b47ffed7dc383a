"""Refuse a training that the memory of this machine cannot hold.

What is counted is the least that a framework takes.
"""

from d2l_vgg import machine
from d2l_vgg.frameworks import FRAMEWORKS
from d2l_vgg.networks import costs

ITEMSIZE = {'float32': 4, 'bfloat16': 2}

# What a process takes besides `costs.training_bytes`: the highest anonymous
# memory of `d2l-vgg train` with `quick`, less those (MXNet 1.9.1, PyTorch
# 2.13.0, TensorFlow 2.21.0, JAX 0.10.2; Python 3.11, Linux x86-64, one core)
FRAMEWORK_BYTES = {
    'mxnet': 250 * 2**20,
    'torch': 350 * 2**20,
    'tensorflow': 400 * 2**20,
    'jax': 430 * 2**20,
}

# A framework takes more than the least, and what is freed has gaps
AMPLE = 3


def is_ample(needed):
    """Return whether there is far more memory than the least, `needed`."""
    there_is = machine.available_memory()
    return there_is is None or there_is >= AMPLE * needed


def refuse(needed, framework, size, batch_size):
    """Raise ValueError if there is less than `needed` and the framework's.

    Of the framework's, this process may have taken all already.
    """
    own = FRAMEWORK_BYTES[framework] - machine.taken_memory()
    needed, there_is = needed + max(0, own), machine.available_memory()
    if there_is is not None and there_is < needed:
        raise ValueError(
            f'Training this network on minibatches of {batch_size} images of '
            f'{size[0]} x {size[1]} pixels takes at least '
            f'{costs.memory_text(needed)} of memory, but there are '
            f'{costs.memory_text(there_is)}: choose a smaller batch_size, '
            'resize or arch.'
        )


def least_bytes(experiment):
    """Return the bytes that an `Experiment` takes besides its framework."""
    return costs.training_bytes(
        experiment.arch,
        (1, experiment.resize, experiment.resize),
        experiment.batch_size,
        momentum=bool(experiment.momentum),
        itemsize=ITEMSIZE[experiment.precision],
    )


def check_fit(trainer, model, data):
    """Refuse, as `refuse` does, to fit one of our networks to our data.

    Returns the bytes that it takes at the least besides its framework, None
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
    size = data.resize[::-1]
    needed = costs.training_bytes(
        model.arch,
        (1, *size),
        data.batch_size,
        model.num_classes,
        bool(trainer.momentum),
        ITEMSIZE[trainer.precision],
    )
    framework = type(model).__module__.split('.')[1]
    refuse(needed, framework, size, data.batch_size)
    return needed
