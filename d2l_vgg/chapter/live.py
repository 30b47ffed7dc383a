"""What can be tried on the page: scripts, and the numbers they compute on.

A box `<div class="live" data-live="NAME">` is filled by `live/NAME.js`, when
the reader comes near; without scripts, and on paper, it shows what stands in
it.
"""

import base64
import gzip
import json
import shutil
from pathlib import Path

import numpy as np

from d2l_vgg.chapter.exercises import exercises
from d2l_vgg.datasets import fashion_mnist
from d2l_vgg.files import write_text
from d2l_vgg.training import parameters
from d2l_vgg.training.runs import Run

HERE = Path(__file__).parent
EPSILON = 1e-5  # Of batch normalization
# Validation images: for each class two that `quick` gets right, and the
# mistake of which it is the most certain
IMAGES = [
    *(0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 16, 18, 19, 27, 28, 29, 30),
    *(68, 787, 979, 1111, 2914, 3084, 5806, 6565, 8532, 9574),
]
# Of each class, in the box that trains
IMAGES_PER_CLASS = 200


def write(folder):
    """Write into a folder the scripts and what they load."""
    shutil.copytree(HERE / 'live', folder, dirs_exist_ok=True)
    data = fashion_mnist.load()
    write_text(f'{folder}/quick.js', _quick(data))
    write_text(f'{folder}/images.js', _images(data))
    text = json.dumps(exercises(), indent=1)
    write_text(f'{folder}/exercises.js', f'live.exercises = {text};\n')


def _quick(data):
    """Return a script with the network `quick`, and images for it to see.

    The weights and biases of each layer follow each other, in float16.
    """
    arrays = parameters.load(Run.find('quick').find_parameters())
    numbers = []
    for name in ('1_1', '2_1', '3_1', '3_2'):
        conv, norm = f'conv{name}.', f'norm{name}.'
        # Batch normalization scales and shifts a convolution's channels
        var = arrays[norm + 'running_var']
        scale = arrays[norm + 'weight'] / np.sqrt(var + EPSILON)
        shift = arrays[norm + 'bias'] - arrays[norm + 'running_mean'] * scale
        numbers.append(arrays[conv + 'weight'] * scale[:, None, None, None])
        numbers.append(arrays[conv + 'bias'] * scale + shift)
    for name in ('dense1', 'dense2'):
        numbers += [arrays[f'{name}.weight'], arrays[f'{name}.bias']]
    weights = np.concatenate([each.ravel() for each in numbers])
    content = {
        'weights': _base64(weights.astype('<f2').tobytes()),
        'images': _base64(data.val_images[IMAGES].tobytes()),
        'labels': data.val_labels[IMAGES].tolist(),
        'indices': IMAGES,
        'classes': data.classes,
    }
    return f'live.quickData = {json.dumps(content)};\n'


def _images(data):
    """Return a script with the first training images of each class.

    They come one of each class in turn. Packed are a byte for each label,
    then a byte for each two pixels, which have 16 grey levels.
    """
    by_class = np.argsort(data.train_labels, kind='stable').reshape(10, -1)
    chosen = by_class[:, :IMAGES_PER_CLASS].T.ravel()
    levels = np.rint(data.train_images[chosen] / 17).astype('uint8')
    pairs = levels.reshape(-1, 2)
    pixels = 16 * pairs[:, 0] + pairs[:, 1]
    content = np.append(data.train_labels[chosen], pixels)
    packed = gzip.compress(content.tobytes(), mtime=0)
    return f"live.images = '{_base64(packed)}';\n"


def _base64(content):
    return base64.b64encode(content).decode()
