"""Choose how the page's live network tells that an image is nothing it knows.

`python scripts/measure_unknown.py` compares a few measures, writes what they
refuse to `chapter/results/unknown/rates.csv`, and the chosen one to
`d2l_vgg/chapter/live/known.js`. It needs PyTorch and takes two minutes.
"""

import base64
import csv
import io
import json
import string
from pathlib import Path

import matplotlib
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from d2l_vgg import torch as d2l_vgg
from d2l_vgg.datasets import fashion_mnist
from d2l_vgg.files import write_text

ROOT = Path(__file__).parents[1]
FONTS = Path(matplotlib.get_data_path(), 'fonts', 'ttf')
# Of the training images that have no part in a measure's means, so many are
# refused
REFUSED = 0.05
# Otherwise a unit that a class never uses would decide alone
LEAST_DEVIATION = 0.05


def letters(font, which):
    """Return images of letters, in three sizes, on a dark ground."""
    font = ImageFont.truetype(str(FONTS / font), 200)
    images = []
    for letter in which:
        large = Image.new('L', (400, 400))
        ImageDraw.Draw(large).text((100, 50), letter, 255, font)
        large = large.crop(large.getbbox())
        for size in 20, 24, 28:
            scale = size / max(large.size)
            shape = [max(1, round(n * scale)) for n in large.size]
            small, image = large.resize(shape), Image.new('L', (28, 28))
            place = [(28 - n) // 2 for n in shape]
            image.paste(small, place)
            images.append(np.asarray(image))
    return np.array(images)


def scribbles(rng, count=300):
    """Return images of up to four strokes of a pen."""
    images = []
    for _ in range(count):
        large = Image.new('L', (280, 280))
        draw = ImageDraw.Draw(large)
        for _ in range(rng.integers(1, 5)):
            points = rng.integers(20, 260, (rng.integers(2, 6), 2))
            width = int(rng.integers(12, 40))
            draw.line([*map(tuple, points.tolist())], 255, width, 'curve')
        images.append(np.asarray(large.resize((28, 28), Image.BOX)))
    return np.array(images)


def clouds(rng, count=300):
    """Return images of soft noise."""
    sides = rng.integers(3, 12, count)
    coarse = [rng.integers(0, 256, (side, side), 'uint8') for side in sides]
    enlarged = [Image.fromarray(c).resize((28, 28)) for c in coarse]
    return np.array([*map(np.asarray, enlarged)])


def sets(data):
    """Yield title, whether the choice rests on them, and the images."""
    rng = np.random.default_rng(0)
    first, second = string.ascii_uppercase[:13], string.ascii_uppercase[13:]
    shape = 300, 28, 28
    yield 'training images', True, data.train_images[50000:]
    yield 'a blank image', True, np.zeros((1, 28, 28), 'uint8')
    yield 'noise', True, rng.integers(0, 256, shape, 'uint8')
    yield 'letters A to M', True, letters('DejaVuSans.ttf', first)
    yield 'validation images', False, data.val_images
    silhouettes = np.where(data.val_images > 60, 255, 0)
    yield 'their silhouettes', False, silhouettes
    speckles = rng.random(shape) < rng.random((300, 1, 1))
    yield 'black and white noise', False, 255 * speckles
    yield 'soft noise', False, clouds(rng)
    yield 'letters N to Z', False, letters('DejaVuSans.ttf', second)
    others = letters(
        'STIXGeneral.ttf', string.ascii_lowercase + string.digits
    )
    yield 'other letters and digits', False, others
    yield 'scribbles', False, scribbles(rng)


def look(net, images):
    """Return the hidden units and the scores of images."""
    batches = torch.from_numpy(images.astype('float32') / 255)[:, None]
    with torch.no_grad():
        hidden = torch.cat([net[:-1](X) for X in batches.split(500)])
        return hidden.numpy(), net[-1](hidden).numpy()


def measures(hidden, labels):
    """Return measures, each larger where an image is less known.

    The last ones are minus the logarithm of the density, but for a constant,
    of the class that makes the hidden units most likely, if each is normally
    distributed: `means` and `deviations` are of shape (10, 128).
    """
    by_class = [hidden[labels == label] for label in range(10)]
    means = np.array([H.mean(0) for H in by_class]).astype('float16')
    deviations = np.array([H.std(0) for H in by_class]) + LEAST_DEVIATION
    deviations = deviations.astype('float16')

    def energy(H, scores):
        most = scores.max(1)
        return -most - np.log(np.exp(scores - most[:, None]).sum(1))

    def surprise(H, scores):
        each = [
            (((H - m) / s) ** 2 + 2 * np.log(s)).sum(1)
            for m, s in zip(means.astype(float), deviations.astype(float))
        ]
        return np.min(each, 0)

    found = {
        'probability': lambda H, scores: -scores.max(1) - energy(H, scores),
        'score': lambda H, scores: -scores.max(1),
        'energy': energy,
        'hidden units': surprise,
    }
    return found, means, deviations


def main():
    data = fashion_mnist.load()
    net = d2l_vgg.VGG.trained('quick').net.eval()
    hidden, _ = look(net, data.train_images[:50000])
    found, means, deviations = measures(hidden, data.train_labels[:50000])
    limits, file = {}, io.StringIO()
    rows = csv.writer(file, lineterminator='\n')
    rows.writerow(['images', 'count', 'chosen_on', *found])
    for title, chosen_on, images in sets(data):
        seen = look(net, images)
        values = {name: f(*seen) for name, f in found.items()}
        if not limits:
            limits = {
                name: np.quantile(each, 1 - REFUSED)
                for name, each in values.items()
            }
        rates = [np.mean(values[name] > limits[name]) for name in found]
        rates = [f'{rate:.4f}' for rate in rates]
        rows.writerow([title, len(images), int(chosen_on), *rates])
    write_text(ROOT / 'chapter/results/unknown/rates.csv', file.getvalue())
    known = {
        'most': round(float(limits['hidden units']), 3),
        'means': base64.b64encode(means.tobytes()).decode(),
        'deviations': base64.b64encode(deviations.tobytes()).decode(),
    }
    write_text(
        ROOT / 'd2l_vgg/chapter/live/known.js',
        '// Mean and standard deviation of the hidden units of `quick`, by\n'
        '// class, and the limit of `knows`: scripts/measure_unknown.py\n'
        f'live.known = {json.dumps(known)};\n',
    )


if __name__ == '__main__':
    main()
