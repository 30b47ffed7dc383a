"""The book's published curves and how a run is held against them.

They are those of the VGG section's training cell, read off the figures of
every distinct executed notebook that the d2l project published since 1.0.
"""

import csv
import math
import os
from typing import NamedTuple

from d2l_vgg import frameworks
from d2l_vgg.training.history import History

# The tabs of the book
FRAMEWORKS = {f.tab: f.title for f in frameworks.FRAMEWORKS.values()}

# In epochs; train_loss has two points in an epoch, the others one
TOLERANCE = 0.1

# Sample standard deviations that still count as the book's curve
MAX_DISTANCE = 3

_DATA = os.path.dirname(os.path.abspath(__file__))


class BandPoint(NamedTuple):
    """Mean, sample standard deviation and range of the published runs."""

    epoch: float
    mean: float
    sd: float
    min: float
    max: float
    runs: int


class Row(NamedTuple):
    """A run's value at a point of the book's curves, `distance` in `sd`."""

    series: str
    epoch: float
    mean: float
    sd: float
    value: float
    distance: float


def band(framework='mxnet'):
    """Return a list of `BandPoint` for each of the book's three series.

    Raises:
        ValueError: `framework` is no tab of the book.
    """
    points = {}
    for row in _read('band.csv', framework):
        numbers = [float(row[name]) for name in BandPoint._fields[:-1]]
        points.setdefault(row['series'], []).append(
            BandPoint(*numbers, runs=int(row['runs']))
        )
    return points


class Band:
    """The published runs of a tab, for a picture to have behind others.

    `label` names them, `limit` is the largest distance from their mean, in
    sample standard deviations, at which a run still ends as they do.
    """

    limit = MAX_DISTANCE

    def __init__(self, framework='mxnet'):
        self.framework = framework
        self.points = band(framework)
        count = next(iter(self.points.values()))[0].runs
        self.label = f"book's {count} {FRAMEWORKS[tab(framework)]} runs"

    def until(self, epoch):
        """Return the points up to `epoch` of each series that has some."""
        near = {
            name: [p for p in points if p.epoch <= epoch + TOLERANCE]
            for name, points in self.points.items()
        }
        return {name: points for name, points in near.items() if points}

    def distances(self, history):
        """Return where `history` is beside them, as `compare` does."""
        return compare(history, self.framework)


def runs(framework='mxnet'):
    """Return the published runs: d2l version and commit -> History."""
    histories = {}
    for row in _read('curves.csv', framework):
        name = f'{row["d2l_version"]} {row["commit"]}'
        history = histories.setdefault(name, History(None, None))
        history.record(
            row['series'], float(row['epoch']), float(row['value'])
        )
    return histories


def compare(history, framework='mxnet'):
    """Return a `Row` for each of the book's points that `history` has.

    A point of the run belongs to the book's if it is the nearest one of its
    series and not more than `TOLERANCE` epochs away.
    """
    rows = []
    for series, book_points in band(framework).items():
        run_points = history.points.get(series) or [(math.inf, math.nan)]
        for epoch, mean, sd, *_ in book_points:
            x, value = min(run_points, key=lambda p: abs(p[0] - epoch))
            if abs(x - epoch) <= TOLERANCE:
                distance = (value - mean) / sd
                rows.append(Row(series, epoch, mean, sd, value, distance))
    return rows


def delay(history, framework='mxnet'):
    """Return how many epochs a run's training loss is behind the book's.

    A run stays on the plateau of the first guesses for a time that depends
    on how its parameters were drawn. The delay is the shift, from -0.7 to 1
    epoch, with which its `train_loss` lies nearest to the published mean, in
    least squares of the logarithm; the first epoch does not count. None where
    fewer than two points can be compared.
    """
    # Slow to import, and needed for nothing else that is told of the book
    import numpy as np

    # A loss that is not finite or is 0 has no logarithm
    points = [
        (x, math.log(value))
        for x, value in history.points.get('train_loss', [])
        if math.isfinite(value) and value > 0
    ]
    xs, ys = zip(*points) if points else ([0], [0])
    # Points that every shift leaves within the run
    used = [
        (b.epoch, math.log(b.mean))
        for b in band(framework)['train_loss']
        if 1 < b.epoch <= xs[-1] - 1
    ]
    if len(used) < 2:
        return None
    epochs, means = np.array(used).T

    def error(shift):
        values = np.interp(epochs + shift, xs, ys)
        return float(((values - means) ** 2).sum())

    return min((step / 100 for step in range(-70, 101)), key=error)


def table(rows):
    """Return the text of what `compare` returned, one line for a point."""
    from tabulate import tabulate  # Of use to no other command

    return tabulate(
        [(*row[:-1], f'{row.distance:+.1f} sd') for row in rows],
        ['series', 'epoch', 'book mean', 'book sd', 'run', 'distance'],
        floatfmt=('', '.2f', '.4f', '.4f', '.4f'),
        colalign=['left'] + ['right'] * 5,
    )


def verdict(history, framework='mxnet'):
    """Return the sentence that says whether a run ends as the book's do.

    It does if the last point of each series lies within `MAX_DISTANCE` sample
    standard deviations of the published mean.
    """
    book = Band(framework)
    rows = compare(history, framework)
    published = (
        f'{MAX_DISTANCE} sample standard deviations of the mean of the '
        f'{book.label}'
    )
    if not rows:
        return "No point of this run lies at a point of the book's curves."
    last = {name: points[-1].epoch for name, points in book.points.items()}
    final = [row for row in rows if row.epoch == last[row.series]]
    if len(final) < len(book.points):
        within = sum(map(_is_within, rows))
        return (
            f'This run has no final point for every series (epoch '
            f'{max(last.values()):g}), so there is no verdict; '
            f'{within} of its {len(rows)} points lie within {published}.'
        )
    good = _list_values(row for row in final if _is_within(row))
    bad = _list_values(row for row in final if not _is_within(row))
    if not bad:
        return f'This run ends as the book: {good} lie within {published}.'
    return (
        f'This run does not end as the book: {bad} not within {published}'
        + (f'; within are {good}.' if good else '.')
    )


def remark(framework='mxnet'):
    """Return what must be known when a run is held against a tab, or None."""
    if tab(framework) == 'mxnet':
        return (
            'The published MXNet runs validated on images that are not those '
            'of Zalando: compare train_loss with them, and validation with '
            '--framework pytorch (chapter/reproduce.md).'
        )
    return None


def tab(framework):
    """Return the name that the data files have for `framework`.

    Raises:
        ValueError: the book has no such tab.
    """
    name = 'pytorch' if framework == 'torch' else framework
    if name not in FRAMEWORKS:
        raise ValueError(
            f'The book has no curves for {framework!r}: choose one of '
            f'{", ".join(FRAMEWORKS)}.'
        )
    return name


def _read(name, framework):
    wanted = tab(framework)
    path = os.path.join(_DATA, name)
    with open(path, newline='', encoding='utf-8') as file:
        return [r for r in csv.DictReader(file) if r['framework'] == wanted]


def _is_within(row):
    # Written so that a distance that is not a number is not within
    return abs(row.distance) <= MAX_DISTANCE


def _list_values(rows):
    return ', '.join(
        f'{row.series} {row.value:.4f} ({row.distance:+.1f} sd)'
        for row in rows
    )
