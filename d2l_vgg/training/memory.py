"""Refuse a training that the memory of this machine cannot hold.

What is counted is the least that any framework takes.
"""

from d2l_vgg import machine
from d2l_vgg.networks import costs

ITEMSIZE = {'float32': 4, 'bfloat16': 2}


def refuse(needed, size, batch_size):
    """Raise ValueError if less than `needed` bytes are known to be there."""
    there_is = machine.available_memory()
    if there_is is not None and there_is < needed:
        raise ValueError(
            f'Training this network on minibatches of {batch_size} images of '
            f'{size[0]} x {size[1]} pixels takes at least '
            f'{costs.memory_text(needed)} of memory, but there are '
            f'{costs.memory_text(there_is)}: choose a smaller batch_size, '
            'resize or arch.'
        )


def check_experiment(experiment, on_cpu=True):
    """Refuse an `Experiment`, as `refuse` does, on the processor."""
    if on_cpu:
        size = (experiment.resize, experiment.resize)
        refuse(least_bytes(experiment), size, experiment.batch_size)


def least_bytes(experiment):
    """Return the bytes that an `Experiment` takes at the least."""
    return costs.training_bytes(
        experiment.arch,
        (1, experiment.resize, experiment.resize),
        experiment.batch_size,
        momentum=bool(experiment.momentum),
        itemsize=ITEMSIZE[experiment.precision],
    )


def check_fit(trainer, model, data):
    """Refuse, as `refuse` does, to fit one of our networks to our data.

    Returns the bytes that it takes at the least, None if that is not known.
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
    refuse(needed, size, data.batch_size)
    return needed
