"""Images with what is to be said of each, and the counts of confusions."""

import math

import numpy as np
from matplotlib.figure import Figure

from d2l_vgg.figures import lettering
from d2l_vgg.messages import counted


@lettering.any_text()
def show_images(images, labels=None, num_rows=2, num_cols=8, width=1):
    """Draw the first images in a grid, each below its label.

    `images` has the shape (n, height, width), or one channel before or after
    these two; `labels` are n texts, of up to three lines; `width` is that of
    a column, in inches.

    Raises ValueError when there is no image or not a label for each.
    """
    images = np.asarray(images)
    if len(images) == 0:
        raise ValueError('There are no images to draw.')
    if labels is not None and len(labels) != len(images):
        raise ValueError(
            f'There are {len(images)} images but {len(labels)} labels.'
        )
    figure = Figure(figsize=(width * num_cols, 1), layout='constrained')
    axes = figure.subplots(num_rows, num_cols, squeeze=False)
    shades = {'vmin': images.min(), 'vmax': images.max()}
    num_lines = 0
    for i, ax in enumerate(axes.flat):
        ax.axis('off')
        if i < len(images):
            # White paper instead of the data's black background
            image = images[i].squeeze()
            ax.imshow(image, 'gray_r', interpolation='nearest', **shades)
            if labels is not None:
                label = lettering.fitted(
                    labels[i], 0.95 * width, num_lines=3, size='small'
                )
                ax.set_title(label, fontsize='small')
                num_lines = max(num_lines, label.count('\n') + 1)
    # In inches; a label has a little air around it
    row = 0.95 * width + (0.15 * num_lines + 0.18 if num_lines else 0)
    figure.set_figheight(row * num_rows)
    texts = [' '.join(text.split()) for text in labels or ()]
    figure.set_label('; '.join([f'{len(images)} images', *texts]))
    return figure


def mistakes(images, titles, num_cols=6):
    """Draw every image, in rows of `num_cols`; the rest as `show_images`."""
    num_rows = math.ceil(len(images) / num_cols)
    # As much room as `predicted ankle boot` takes
    return show_images(images, titles, num_rows, num_cols, width=1.4)


def feature_maps(maps, num_cols=8):
    """Draw the first channels of an image and of what layers made of it.

    `maps` are arrays of shape (channels, height, width), a row for each,
    which tells its shape at the left. Every channel has its own shades, from
    its smallest number in white to its largest in black.
    """
    maps = [np.asarray(array) for array in maps]
    # In inches: the text at the left, then a column for each channel
    widths = [1.25] + [0.7] * num_cols
    size = sum(widths), len(maps) * 0.75
    figure = Figure(figsize=size, layout='constrained')
    axes = figure.subplots(
        len(maps), num_cols + 1, squeeze=False, width_ratios=widths
    )
    for ax in axes.flat:
        ax.axis('off')
    for (left, *others), array in zip(axes, maps):
        channels, height, width = array.shape
        text = f'{height} x {width}\n{counted(channels, "channel")}'
        left.text(1, 0.5, text, ha='right', va='center', fontsize='large')
        for ax, channel in zip(others, array):
            ax.imshow(channel, cmap='gray_r', interpolation='nearest')
    shapes = ['{} of {} x {}'.format(*array.shape) for array in maps]
    figure.set_label('Channels of layers: ' + ', '.join(shapes))
    return figure


@lettering.any_text()
def confusion(matrix, labels):
    """Draw how often examples of each class were predicted to be of each.

    `matrix` has the shape (num_classes, num_classes): its rows are the true
    classes, its columns the predicted ones, its numbers counts of examples.
    The color is the square root of a number's share of its row, so that rare
    mistakes can be seen too.
    """
    matrix, n = np.asarray(matrix), len(labels)
    # In inches: a cell has room for a count of four digits
    side = max(6, 0.43 * n + 1.7)
    figure = Figure(figsize=(side, side - 0.4), layout='constrained')
    ax = figure.subplots(subplot_kw={'aspect': 'equal'})
    # A class without examples has an empty row
    totals = np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    shades = np.sqrt(matrix / totals)
    edges = np.arange(n + 1) - 0.5  # Dark pages invert shapes, not images
    ax.pcolormesh(edges, edges, shades, cmap='Blues', vmin=0, vmax=1)
    size = min(10, 40 / max(len(f'{count}') for count in matrix.flat))
    for (i, j), count in np.ndenumerate(matrix):
        color = 'white' if shades[i, j] > 0.6 else 'black' if count else '0.7'
        style = {'color': color, 'fontsize': size}
        ax.text(j, i, f'{count}', ha='center', va='center', **style)
    labels = [lettering.fitted(text, 1.2) for text in labels]
    tilt = {'rotation': 45, 'ha': 'right', 'rotation_mode': 'anchor'}
    ax.set_xticks(range(n), labels, **tilt)
    ax.set_yticks(range(n), labels)
    ax.set(xlabel='predicted class', ylabel='true class', ylim=edges[[-1, 0]])
    ax.spines[:].set_visible(False)
    right, total = matrix.trace(), matrix.sum()
    figure.set_label(f'Confusion matrix: {right} of {total} on the diagonal')
    return figure
