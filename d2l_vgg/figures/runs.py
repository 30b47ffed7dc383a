"""The curves of runs, with the book's published runs behind them."""

import math
from itertools import cycle

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from d2l_vgg.figures import lettering

# The colors of Okabe and Ito, which the color-blind can tell apart; the first
# three take the places of blue, orange and green on the book's board
COLORS = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9']
GRAY = '0.45'
BAND_COLOR = '0.8'
# Of the first six runs, of the next six with the same colors, and so on
MARKERS = 'os^DvP*X'
# As on the book's board, and for any other series
LINE_STYLES = {'train_loss': '-', 'val_loss': '--', 'val_acc': '-.'}
OTHER_STYLES = [':', (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2))]


@lettering.any_text()
def curves(histories, band=None, note=None, max_epochs=0):
    """Draw the curves of runs: losses on the left, accuracies on the right.

    `histories` maps the name of a run to its History. With a single run
    every series has a color, as on the book's board; with several every run
    has one. `band` is a `Band` of `d2l_vgg.book.published`: its runs are
    drawn behind, as their mean and what lies within `band.limit` sample
    standard deviations of it, as far as the longest of `histories` goes, and
    the distance of every point from the mean below. `note` is written in red
    above, for what must not be overlooked, such as data that are not
    Fashion-MNIST. The x axis goes on to `max_epochs`.

    Raises ValueError when there is nothing to draw.
    """
    runs = [history.points for history in histories.values()]
    ends = [points[-1][0] for run in runs for points in run.values()]
    book_points = band.until(max(ends, default=math.inf)) if band else {}
    # A dictionary, since unlike a set it keeps the order
    names = list(dict.fromkeys(n for ps in [*runs, book_points] for n in ps))
    if not names:
        raise ValueError('There are no points to draw yet.')
    styles = _series_styles(names, len(runs))
    losses = [name for name in names if not name.endswith('acc')]
    accuracies = [name for name in names if name.endswith('acc')]
    panels = [
        (label, {name: styles[name] for name in series})
        for label, series in [('loss', losses), ('accuracy', accuracies)]
        if series
    ]
    has_distances = bool(runs and book_points)
    figure, axes = _make_axes(len(panels), has_distances)
    for ax, (label, series) in zip(axes[0], panels):
        ax.set_ylabel(label)
        _draw_band(ax, book_points, series, band)
        _draw_runs(ax, runs, series)
        _name_series(ax, series)
    if has_distances:
        distances = [_distances(h, band) for h in histories.values()]
        # First, so that its lines lie behind
        _scale_distances(axes[1], distances, band.limit)
        for ax, (_, series) in zip(axes[1], panels):
            _draw_runs(ax, distances, series)
    # The x axis is one for all; less than an epoch would have no whole tick
    right = axes[0, 0].get_xlim()[1]
    axes[0, 0].set_xlim(0, max(1, 1.03 * max_epochs, right))
    shown = band if book_points else None
    height = 4.4 if has_distances else 3.2
    height += _add_legend(figure, histories, shown)
    height += lettering.add_note(figure, note)
    figure.set_figheight(height)
    figure.set_label(_words(histories, shown, note))
    return figure


def _words(histories, band, note):
    """Return what the curves show, for those who cannot see them."""
    words = [note.replace('\n', ' ')] if note else []
    words.append('Curves of training, by epoch.')
    for name, history in histories.items():
        ends = [f'{s} {ps[-1][1]:.4g}' for s, ps in history.points.items()]
        words.append(f'{name} ends with {", ".join(ends)}.')
    if band:
        words.append(f'Behind: {band.label}, mean ± {band.limit} sd.')
    return ' '.join(words)


def _make_axes(num_panels, has_distances):
    """Return a figure and its axes: a row of panels, or two."""
    figure = Figure(figsize=(3 * num_panels, 3.2), layout='constrained')
    heights = [3, 1.6] if has_distances else [1]
    shape = {'nrows': len(heights), 'ncols': num_panels, 'squeeze': False}
    axes = figure.subplots(sharex=True, height_ratios=heights, **shape)
    for ax in axes.flat:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.grid(color='0.92', linewidth=0.8)
        ax.set_axisbelow(True)
    for ax in axes[-1]:
        ax.set_xlabel('epoch')
    return figure, axes


def _series_styles(names, num_runs):
    """Return how each series is drawn, gray where the runs have colors."""
    others = [name for name in names if name not in LINE_STYLES]
    dashes = {**LINE_STYLES, **dict(zip(others, cycle(OTHER_STYLES)))}
    colors = dict(zip(LINE_STYLES, COLORS))
    colors.update(zip(others, cycle(COLORS[3:])))
    return {
        name: {
            'color': colors[name] if num_runs == 1 else GRAY,
            'linestyle': dashes[name],
            'linewidth': 1.5,
        }
        for name in names
    }


def _run_style(run):
    """Return what tells one of several runs, counted from 0, from others."""
    return {
        'color': COLORS[run % len(COLORS)],
        'marker': MARKERS[run // len(COLORS) % len(MARKERS)],
        'markersize': 3 if run < len(COLORS) else 5,
    }


def _draw_runs(ax, runs, styles):
    """Draw the points of each run, which are in a dictionary by series."""
    for i, run in enumerate(runs):
        for name in filter(run.get, styles):
            points = run[name]
            style = {'marker': 'o', 'markersize': 3, **styles[name]}
            if len(runs) > 1:
                style.update(_run_style(i))
            # Many marks would hide the line; few hide nothing
            every = 1 if len(points) <= 25 else len(points) // 12
            if every > 1 and style['marker'] == 'o':
                style['marker'] = None
            # A point on the border of the axes is to be seen whole
            ax.plot(*zip(*points), markevery=every, clip_on=False, **style)


def _name_series(ax, styles):
    """Name the series where the lines leave most room."""
    handles = [Line2D([], [], **style) for style in styles.values()]
    # Half of a panel
    lettering.add_legend(
        ax, handles, styles, room=1.5, loc='best', handlelength=3, ncols=1
    )


def _draw_band(ax, book_points, series, band):
    """Draw the published runs: their mean, and what counts as near it."""
    for name in filter(book_points.get, series):
        points = book_points[name]
        x = [p.epoch for p in points]
        low = [p.mean - band.limit * p.sd for p in points]
        high = [p.mean + band.limit * p.sd for p in points]
        ax.fill_between(x, low, high, color=BAND_COLOR, linewidth=0)
        style = {'linestyle': LINE_STYLES[name], 'linewidth': 1}
        ax.plot(x, [p.mean for p in points], color=GRAY, **style)


def _distances(history, band):
    points = {}
    for row in band.distances(history):
        points.setdefault(row.series, []).append((row.epoch, row.distance))
    return points


def _scale_distances(row, distances, limit):
    """Give all axes of a row the scale that shows every distance.

    A run that leaves the plateau late is far off at first: without a
    logarithm all its other points would lie on one line.
    """
    series = [points for run in distances for points in run.values()]
    found = [d for ps in series for _, d in ps if math.isfinite(d)]
    # The band is to be seen as one
    low, high = min([-4 / 3 * limit, *found]), max([4 / 3 * limit, *found])
    is_log = max(high, -low) > 4 * limit
    for ax in row:
        ax.axhspan(-limit, limit, color=BAND_COLOR, linewidth=0)
        ax.axhline(0, color=GRAY, linewidth=1)
        if is_log:
            _scale_symlog(ax, low, high, limit)
        else:
            ax.set_ylim(1.15 * low, 1.15 * high)
            ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 3, 6, 10]))
        ax.yaxis.set_major_formatter(_with_sign)
    beyond = f',\nlog beyond ±{limit}' if is_log else ''
    row[0].set_ylabel('distance (sd)' + beyond)


def _scale_symlog(ax, low, high, limit):
    """Scale by the logarithm what is beyond `limit` on either side."""
    decades = [math.log10(max(1, end / limit)) for end in (-low, high)]
    # The band has at least a third of the height
    linscale = max(1, 0.3 * sum(decades))
    # With the uneven marks that show a logarithm
    minor = {'subs': range(2, 10)}
    ax.set_yscale('symlog', linthresh=limit, linscale=linscale, **minor)
    ax.set_ylim(1.5 * low, 1.5 * high)
    # There is room for seven numbers one above the other
    room = (2 * linscale + sum(decades)) / 7
    ticks = [0]
    for sign, end in ((-1, -low), (1, high)):
        last = -math.inf
        for tick in [limit, *(10.0**e for e in range(1, 300))]:
            if limit <= tick < end and math.log10(tick) - last > room:
                ticks.append(sign * tick)
                last = math.log10(tick)
    ax.set_yticks(ticks)


def _with_sign(number, _):
    return f'{number:+g}'.replace('-', '−') if number else '0'


def _add_legend(figure, histories, band):
    """Name the runs, where there are several, and the book's band.

    Returns its height in inches.
    """
    labels = list(histories) if len(histories) > 1 else []
    handles = [Line2D([], [], **_run_style(i)) for i in range(len(labels))]
    if band:
        labels.append(f'{band.label}: mean ± {band.limit} sd')
        patch = Patch(color=BAND_COLOR)
        handles.append((patch, Line2D([], [], color=GRAY, linewidth=1)))
    if not handles:
        return 0
    room = 0.98 * figure.get_figwidth()
    num_rows = lettering.add_legend(
        figure, handles, labels, room, loc='outside lower center'
    )
    return num_rows * lettering.LINE_HEIGHT
