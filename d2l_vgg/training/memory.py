"""Refuse a training that the memory of this machine cannot hold."""

from d2l_vgg import machine
from d2l_vgg.networks import costs

# A prediction may be so much too high
SURE = 0.85

# What is freed has gaps, and other programs want memory, too
AMPLE = 1.5


def is_ample(needed):
    """Return whether there is far more memory than is `needed`."""
    there_is = machine.available_memory()
    return there_is is None or there_is >= AMPLE * needed


def experiment_bytes(experiment, framework):
    """Return what an `Experiment` takes, as `costs.training_bytes`."""
    shape = 1, experiment.resize, experiment.resize
    minibatch = framework, experiment.arch, shape, experiment.batch_size
    how = experiment.momentum, experiment.precision
    return costs.training_bytes(*minibatch, 10, *how)


def check_fit(trainer, model, data):
    """Raise ValueError if the memory cannot hold our network and our data.

    Returns about how many bytes they take besides the framework, None if that
    is not known.
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
    shape, how = (1, height, width), (trainer.momentum, trainer.precision)
    minibatch = trainer.framework, model.arch, shape, data.batch_size
    needed = costs.training_bytes(*minibatch, model.num_classes, *how)
    own = costs.MEMORY[trainer.framework][0] * 2**20
    # This process may have a part of it already, or more
    missing = needed - min(own, machine.taken_memory())
    there_is = machine.available_memory()
    if there_is is not None and there_is < SURE * missing:
        raise ValueError(
            f'Training this network on minibatches of {data.batch_size} '
            f'images of {height} x {width} pixels takes about '
            f'{costs.memory_text(missing)} of memory, but there are '
            f'{costs.memory_text(there_is)}: choose a smaller batch_size, '
            'resize or arch.'
        )
    return needed - own
