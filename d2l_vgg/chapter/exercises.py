"""The numbers that the exercises ask for, and what other numbers count.

A wrong number is often the right one of something else: a reader is told of
what.
"""

from typing import NamedTuple

from d2l_vgg import limits
from d2l_vgg.networks import costs


class Exercise(NamedTuple):
    """What is right, `least` to `most`; `known`: number -> what it counts."""

    least: float
    most: float
    known: dict


NETWORKS = 'AlexNet', 'VGG-11', 'VGG-13', 'C', 'VGG-16', 'VGG-19'
IMAGES = {1: 'grey images', 3: 'images in colour'}
# A network, the channels of its images, its classes, and what is counted
ASKED = (
    ('AlexNet', 1, 10, 'parameters'),
    ('VGG-11', 1, 10, 'parameters'),
    ('VGG-11', 1, 10, 'multiply-adds of the convolutions'),
    ('VGG-11', 1, 10, 'multiply-adds of the fully connected layers'),
    ('VGG-11', 1, 10, 'MiB of the parameters'),
    ('VGG-11', 1, 10, 'parameters of the first fully connected layer'),
    ('VGG-11', 1, 10, 'convolutions'),
    ('VGG-16', 3, 1000, 'parameters'),
    ('VGG-19', 3, 1000, 'parameters'),
)
# What a network of the reader's own is to reach
GOALS = {
    'Your VGG-11: parameters, fewer than 10000000': Exercise(1, 9999999, {}),
    'Your network: parameters, fewer than 100000': Exercise(1, 99999, {}),
    'Your network: accuracy, at least 0.90': Exercise(0.9, 1, {}),
    'Any network: accuracy, at least 0.94': Exercise(0.94, 1, {}),
}


def counts(arch, channels, num_classes):
    """Return what can be counted of a network: its name -> the number."""
    rows = costs.summary(arch, (channels, 224, 224), num_classes)
    total = costs.totals(arch, (channels, 224, 224), num_classes)
    (first,) = [row for row in rows if row.name == 'dense1']
    biases = sum(row.output_shape[0] for row in rows if row.macs)
    convolutions = sum(row.kind.startswith('conv') for row in rows)
    return {
        'parameters': total.num_params,
        'weights without the biases': total.num_params - biases,
        'parameters of the convolutions': total.conv_params,
        'parameters of the fully connected layers': total.dense_params,
        'parameters of the first fully connected layer': first.num_params,
        'weights of the first fully connected layer alone': first.macs,
        'multiply-adds': total.macs,
        'multiply-adds of the convolutions': total.conv_macs,
        'multiply-adds of the fully connected layers': total.dense_macs,
        'multiplications and additions of the convolutions, each by itself': (
            2 * total.conv_macs
        ),
        'MiB of the parameters': round(total.num_params / 2**18),
        'MB, of 1000000 bytes, of the parameters': (
            round(total.num_params * 4 / 1e6)
        ),
        'MiB of the parameters and their gradients': (
            round(total.num_params / 2**17)
        ),
        'bytes of the parameters': 4 * total.num_params,
        'convolutions': convolutions,
        'layers with weights': sum(row.macs > 0 for row in rows),
        'blocks': sum(row.kind == 'max pool' for row in rows),
    }


def exercises():
    """Return name -> `Exercise` of all."""
    found = dict(GOALS)
    settings = [
        (network, channels, num_classes)
        for network in NETWORKS
        for channels in IMAGES
        for num_classes in (10, 1000)
    ]
    every = {setting: counts(*setting) for setting in settings}
    for *setting, what in ASKED:
        known = {}
        for name, number in every[tuple(setting)].items():
            known.setdefault(number, f'you have counted the {name}')
        for (network, channels, classes), numbers in every.items():
            images = IMAGES[channels]
            known.setdefault(
                numbers[what],
                f'you have counted for {network}, {images}, '
                f'{classes} classes',
            )
        right = every[tuple(setting)][what]
        name = f'{setting[0]}: {what}'
        found[name] = Exercise(right - 0.5, right + 0.5, known)
    return found


def answer(name, number):
    """Return 'Right.', or what a reader may look at.

    Raises:
        ValueError: there is no exercise `name`, or `number` is none.
    """
    known = exercises()
    limits.check('The exercise', name, choices=tuple(known))
    number = limits.check('Your number', number, float)
    exercise = known[name]
    if exercise.least <= number <= exercise.most:
        return 'Right.'
    size = 'small' if number < exercise.least else 'large'
    told = exercise.known.get(round(number), f'that is too {size}')
    return f'Not yet: {told}.'


def check(name, number):
    """Print what `answer` says, nothing but a word for None."""
    if number is None:
        print('Put your number in the place of None.')
    else:
        print(answer(name, number))
