"""The numbers that the exercises ask for.

A wrong number is often the right one of something else: a reader is told of
what.
"""

import functools
import itertools

from d2l_vgg import limits
from d2l_vgg.networks import costs

NETWORKS = 'AlexNet', 'VGG-11', 'VGG-13', 'C', 'VGG-16', 'VGG-19'
IMAGES = {1: 'grey images', 3: 'images in colour'}
# A network, channels and classes -> what is to be counted of it
ASKED = {
    ('AlexNet', 1, 10): ['parameters'],
    ('VGG-11', 1, 10): [
        'parameters',
        'multiply-adds of the convolutions',
        'multiply-adds of the fully connected layers',
        'MiB of the parameters',
        'parameters of the first fully connected layer',
        'convolutions',
    ],
    ('VGG-16', 3, 1000): ['parameters'],
    ('VGG-19', 3, 1000): ['parameters'],
}
# What networks of the reader's own are to reach, as in `exercises`
GOALS = {
    'Your VGG-11: parameters, fewer than 10000000': (1, 9999999, {}),
    'Your network: parameters, fewer than 100000': (1, 99999, {}),
    'Your network: accuracy, at least 0.90': (0.9, 1, {}),
    'Any network: accuracy, at least 0.94': (0.94, 1, {}),
}


def counts(network, channels, num_classes):
    """Return what can be counted of a network: words -> number."""
    rows = costs.summary(network, (channels, 224, 224), num_classes)
    total = costs.totals(network, (channels, 224, 224), num_classes)
    biases = sum(row.output_shape[0] for row in rows if row.macs)
    (first,) = [row for row in rows if row.name == 'dense1']
    return {
        'parameters': total.num_params,
        'parameters without the biases': total.num_params - biases,
        'parameters of the convolutions': total.conv_params,
        'parameters of the fully connected layers': total.dense_params,
        'parameters of the first fully connected layer': first.num_params,
        'the first fully connected layer, no biases': first.macs,
        'multiply-adds of all layers': total.macs,
        'multiply-adds of the convolutions': total.conv_macs,
        'multiply-adds of the fully connected layers': total.dense_macs,
        'multiplications and additions, each by itself': 2 * total.conv_macs,
        'MiB of the parameters': round(4 * total.num_params / 2**20),
        'MB of a million bytes': round(4 * total.num_params / 1e6),
        'MiB with the gradients': round(8 * total.num_params / 2**20),
        'convolutions': sum(row.kind.startswith('conv') for row in rows),
        'blocks': sum(row.kind == 'max pool' for row in rows),
        'layers with weights': sum(row.macs > 0 for row in rows),
    }


@functools.cache
def exercises():
    """Return name -> the least and most that is right, {wrong: words}."""
    settings = itertools.product(NETWORKS, IMAGES, (10, 1000))
    every = {setting: counts(*setting) for setting in settings}
    found = dict(GOALS)
    for setting, asked in ASKED.items():
        for what in asked:
            known = {
                numbers[what]: f'{network}, {IMAGES[n]}, {classes} classes'
                for (network, n, classes), numbers in every.items()
            }
            known |= {n: words for words, n in every[setting].items()}
            right = every[setting][what]
            found[f'{setting[0]}: {what}'] = right - 0.5, right + 0.5, known
    return found


def check(name, number):
    """Print whether a number is right, or of what it would be.

    Raises:
        ValueError: there is no exercise `name`, or `number` is none.
    """
    known = exercises()
    least, most, others = known[limits.check('name', name, choices=[*known])]
    if number is None:
        print('Put your number in the place of None.')
    elif least <= limits.check('number', number, float) <= most:
        print('Right.')
    elif round(number) in others:
        print(f'Not yet: that is right for {others[round(number)]}.')
    else:
        print(f'Not yet: too {"small" if number < least else "large"}.')
