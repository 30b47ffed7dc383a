"""Pictures of histories, images and mistakes, drawn with matplotlib.

Every function returns a Figure of its own, without pyplot and its global
state, so it works without a display; `save` writes it as SVG and PNG.
"""

import math

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, NullLocator

from d2l_vgg.files import write_whole

# The colors of Okabe and Ito, which the color-blind can tell apart; the first
# three take the places of blue, orange and green on the book's board
COLORS = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9']
GRAY = '0.45'
BAND_COLOR = '0.8'
NOTE_COLOR = '#B00020'

# As on the book's board; any other series is dotted
LINE_STYLES = {'train_loss': '-', 'val_loss': '--', 'val_acc': '-.'}


def curves(histories, band=None, title=None, note=None):
    """Draw the curves of runs: losses on the left, accuracies on the right.

    `histories` maps the name of a run to its History. With a single run
    every series has a color, as on the book's board; with several every run
    has one. `band` is a `Band` of `d2l_vgg.book.published`: its runs are
    drawn behind, as mean and mean +- 2 sample standard deviations, as far as
    the longest of `histories` goes, and the distance of every point from the
    mean below. `note` is written in red below the title, for what must not be
    overlooked, such as data that are not Fashion-MNIST.

    Raises ValueError when there is nothing to draw.
    """
    book_points = band.until(_last_epoch(histories)) if band else {}
    has_distances = bool(histories and book_points)
    drawn = [*(h.points for h in histories.values()), book_points]
    # A dictionary, since unlike a set it keeps the order
    names = list(dict.fromkeys(name for points in drawn for name in points))
    if not names:
        raise ValueError('there are no points to draw yet')
    panels = [
        ('loss', [name for name in names if not name.endswith('acc')]),
        ('accuracy', [name for name in names if name.endswith('acc')]),
    ]
    panels = [(label, series) for label, series in panels if series]

    figure = Figure(
        figsize=(4 * len(panels), 4.6 if has_distances else 3.2),
        layout='constrained',
    )
    axes = figure.subplots(
        2 if has_distances else 1,
        len(panels),
        sharex=True,
        squeeze=False,
        gridspec_kw={'height_ratios': [3, 1.2] if has_distances else [1]},
    )
    for column, (label, series) in enumerate(panels):
        ax = axes[0, column]
        _draw_band(
            ax, {n: ps for n, ps in book_points.items() if n in series}
        )
        for i, history in enumerate(histories.values()):
            for name in series:
                points = history.points.get(name, [])
                _draw_line(ax, points, _style(name, i, len(histories)))
        styles = [_style(name, None, len(histories)) for name in series]
        ax.legend(
            [Line2D([], [], **style) for style in styles],
            series,
            # Where falling losses and rising accuracies leave room
            loc='upper right' if label == 'loss' else 'lower right',
            frameon=False,
            handlelength=3,
        )
        ax.set_ylabel(label)
        if has_distances:
            _draw_distances(axes[1, column], histories, series, band)
        axes[-1, column].set_xlabel('epoch')
    for ax in axes.flat:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.grid(color='0.92', linewidth=0.8)
        ax.set_axisbelow(True)
    # The x axis is one for all; less than an epoch would have no whole tick
    axes[0, 0].set_xlim(0, max(1, axes[0, 0].get_xlim()[1]))
    if has_distances:
        axes[1, 0].set_ylabel('distance (sd)')
    _add_legend(figure, histories, band if book_points else None)
    _add_heading(figure, title, note)
    return figure


def _last_epoch(histories):
    """Return where the longest of `histories` ends, infinity without any."""
    ends = [
        points[-1][0]
        for history in histories.values()
        for points in history.points.values()
    ]
    return max(ends, default=math.inf)


def _style(name, run, num_runs):
    """Return how the series `name` of a run is drawn, counted from 0.

    `run=None` is for the legend, which stands for every run.
    """
    order = list(LINE_STYLES)
    if num_runs != 1:
        color = GRAY if run is None else COLORS[run % len(COLORS)]
    elif name in order:
        color = COLORS[order.index(name)]
    else:
        color = COLORS[3]
    return {
        'color': color,
        'linestyle': LINE_STYLES.get(name, ':'),
        'linewidth': 1.5,
    }


def _draw_line(ax, points, style):
    """Draw points, each with a mark where there are few."""
    if points:
        marker = 'o' if len(points) <= 25 else None
        ax.plot(*zip(*points), marker=marker, markersize=3, **style)


def _draw_band(ax, book_points):
    """Draw the published runs: mean, and mean +- 2 standard deviations."""
    for name, points in book_points.items():
        x = [p.epoch for p in points]
        low = [p.mean - 2 * p.sd for p in points]
        high = [p.mean + 2 * p.sd for p in points]
        ax.fill_between(x, low, high, color=BAND_COLOR, linewidth=0)
        style = {'linestyle': LINE_STYLES[name], 'linewidth': 1}
        ax.plot(x, [p.mean for p in points], color=GRAY, **style)


def _draw_distances(ax, histories, series, band):
    """Draw how far each point of the runs lies from the book's mean."""
    ax.axhspan(-2, 2, color=BAND_COLOR, linewidth=0)
    ax.axhline(0, color=GRAY, linewidth=1)
    low, high = -2 * band.limit, 2 * band.limit
    for i, history in enumerate(histories.values()):
        rows = band.distances(history)
        for name in series:
            points = [(r.epoch, r.distance) for r in rows if r.series == name]
            _draw_line(ax, points, _style(name, i, len(histories)))
        finite = [r.distance for r in rows if r.series in series]
        finite = [1.5 * d for d in finite if math.isfinite(d)]
        low, high = min([low, *finite]), max([high, *finite])
    # A run that leaves the plateau late is far off at first: without a
    # logarithm all its other points would lie on one line
    ax.set_yscale('symlog', linthresh=band.limit, linscale=1.5)
    ax.set_ylim(low, high)
    ticks = [band.limit * 10**e for e in range(9)]
    ticks = [
        *(-t for t in ticks if -t > low),
        0,
        *(t for t in ticks if t < high),
    ]
    ax.set_yticks(
        ticks, [f'{t:+g}'.replace('-', '−') if t else '0' for t in ticks]
    )
    ax.yaxis.set_minor_locator(NullLocator())


def _add_legend(figure, histories, band):
    """Name the runs, where there are several, and the book's band."""
    handles, labels = [], []
    if len(histories) > 1:
        labels += histories
        handles += [
            Line2D([], [], color=COLORS[i % len(COLORS)])
            for i in range(len(histories))
        ]
    if band:
        labels.append(f'{band.label}: mean ± 2 sd')
        patch = Patch(color=BAND_COLOR)
        handles.append((patch, Line2D([], [], color=GRAY, linewidth=1)))
    if handles:
        # In characters: what fits on a line, and a label with its handle
        line = int(13 * figure.get_figwidth())
        widths = [len(label) + 8 for label in labels]
        figure.legend(
            handles,
            labels,
            loc='outside lower center',
            ncols=len(labels)
            if sum(widths) <= line
            else max(1, line // max(widths)),
            frameon=False,
        )


def _add_heading(figure, title, note):
    """Write the title, and below it the note, which turns both red."""
    text = '\n'.join(filter(None, [title, note]))
    if text:
        style = {'color': NOTE_COLOR, 'weight': 'bold'} if note else {}
        figure.suptitle(text, fontsize='medium', **style)


def show_images(
    images, labels=None, num_rows=2, num_cols=8, title=None, note=None
):
    """Draw the first images in a grid, each below its label.

    `images` has the shape (n, height, width), or one channel before or after
    these two; `labels` are n texts. `title` and `note` as in `curves`.

    Raises ValueError when there is no image or not a label for each.
    """
    images = np.asarray(images)
    if len(images) == 0:
        raise ValueError('there are no images to draw')
    if labels is not None and len(labels) != len(images):
        raise ValueError(
            f'there are {len(images)} images but {len(labels)} labels'
        )
    figure = Figure(figsize=(num_cols, 1.25 * num_rows), layout='constrained')
    axes = figure.subplots(num_rows, num_cols, squeeze=False)
    for i, ax in enumerate(axes.flat):
        ax.axis('off')
        if i < len(images):
            ax.imshow(
                images[i].squeeze(),
                # White paper instead of the data's black background
                cmap='gray_r',
                vmin=images.min(),
                vmax=images.max(),
                interpolation='nearest',
            )
            if labels is not None:
                ax.set_title(labels[i], fontsize='small')
    _add_heading(figure, title, note)
    return figure


def mistakes(images, titles, num_cols=6, title=None, note=None):
    """Draw every image, in rows of `num_cols`; the rest as `show_images`."""
    num_rows = math.ceil(len(images) / num_cols)
    return show_images(images, titles, num_rows, num_cols, title, note)


def confusion(matrix, labels, title=None, note=None):
    """Draw how often examples of each class were predicted to be of each.

    `matrix` has the shape (num_classes, num_classes): its rows are the true
    classes, its columns the predicted ones, its numbers counts of examples.
    The color is the square root of a number's share of its row, so that rare
    mistakes can be seen too. `title` and `note` as in `curves`.

    Raises ValueError when the matrix is not a square of as many `labels`.
    """
    matrix = np.asarray(matrix)
    n = len(labels)
    if matrix.shape != (n, n):
        raise ValueError(
            f'a confusion matrix of {n} labels must have the shape '
            f'({n}, {n}), not {matrix.shape}'
        )
    # A class without examples has an empty row
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(6, 5.6), layout='constrained')
    ax = figure.subplots()
    shades = np.sqrt(shares)
    ax.imshow(shades, cmap='Blues', vmin=0, vmax=1)
    for (i, j), count in np.ndenumerate(matrix):
        color = 'white' if shades[i, j] > 0.6 else 'black' if count else '0.7'
        ax.text(j, i, f'{count}', ha='center', va='center', color=color)
    ax.set_xticks(range(n), labels, rotation=45, ha='right')
    ax.set_yticks(range(n), labels)
    ax.set_xlabel('predicted class')
    ax.set_ylabel('true class')
    ax.spines[:].set_visible(False)
    _add_heading(figure, title, note)
    return figure


def save(figure, path):
    """Write a figure to `path`.svg and `path`.png; return the two names.

    The same figure gives the same bytes at any time. Raises OSError when a
    file cannot be written; what was there before is then unchanged.
    """
    names = [f'{path}.svg', f'{path}.png']
    write_whole(names[0], lambda file: write_svg(figure, file))
    write_whole(
        names[1], lambda file: figure.savefig(file, format='png', dpi=200)
    )
    return names


def write_svg(figure, file):
    """Write a figure as SVG into an open binary file.

    Raises OSError when it cannot be written.
    """
    # By default matplotlib draws the identifiers by chance and writes a date
    with matplotlib.rc_context({'svg.hashsalt': 'd2l_vgg'}):
        figure.savefig(file, format='svg', metadata={'Date': None})
