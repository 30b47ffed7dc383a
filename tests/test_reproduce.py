"""The figures of `chapter/reproduce.md` are those of the records."""

import json
import os
import statistics

import numpy as onp

from d2l_vgg import book, study
from d2l_vgg.history import History

CHAPTER = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'chapter'
)


def text():
    path = os.path.join(CHAPTER, 'reproduce.md')
    with open(path, encoding='utf-8') as file:
        return ' '.join(file.read().split())


def outcomes(biases):
    name = '32px-lr0.05-batch128-epochs2.csv'
    path = os.path.join(CHAPTER, 'results', 'study', name)
    return [o for o in study.read(path) if o.biases == biases]


def test_the_table_of_the_published_runs():
    for framework, title in book.FRAMEWORKS.items():
        points = book.band(framework)
        first = points['train_loss'][0]
        cells = [f'| {title} | {first.mean:.3f} ({first.sd:.3f})'] + [
            f'{points[series][-1].mean:.4f} ({points[series][-1].sd:.4f})'
            for series in ('train_loss', 'val_loss', 'val_acc')
        ]
        assert ' | '.join(cells) in text()


def test_the_table_of_the_study():
    zero = outcomes('zero')
    assert len(zero) == 12

    def spread(name):
        draws = {}
        for o in zero:
            draws.setdefault(o.draw, []).append(getattr(o, name))
        return study.spread(list(draws.values()))

    mean, between, within = spread('plateau')
    assert f'plateau | {mean:.0f} | {between:.0f} | {within:.0f} |' in text()
    mean, between, within = spread('first_loss')
    row = f'first half epoch | {mean:.4f} | {between:.4f} | {within:.4f} |'
    assert row in text()
    mean, between, within = spread('train_loss')
    row = f'last half epoch | {mean:.3f} | {between:.3f} | {within:.3f} |'
    assert row in text()
    mean, between, within = spread('val_acc')
    assert between == 0
    assert f'{mean:.3f} | none found | {within:.3f} |' in text()


def test_the_plateaus_with_uniform_biases():
    zero, uniform = (
        {o.draw: o.plateau for o in outcomes(b) if o.shuffle == 0}
        for b in study.BIASES
    )
    assert f'after {zero[0]:.0f} and {zero[1]:.0f} minibatches' in text()
    assert f'the first left it after {uniform[0]:.0f}' in text()
    assert onp.isnan(uniform[1])


def test_what_the_delay_explains():
    delay = statistics.median(
        book.delay(run) for run in book.runs('pytorch').values()
    )
    points = book.band()['val_acc']
    early = onp.interp(
        10 - delay, [p.epoch for p in points], [p.mean for p in points]
    )
    gap = points[-1].mean - book.band('pytorch')['val_acc'][-1].mean
    explained = points[-1].mean - early
    assert f'is {delay:.2f} epochs' in text()
    assert f'shows {early:.4f}' in text()
    assert f'for {explained:.4f} of the difference of {gap:.4f}' in text()
    assert round(gap / explained) == 7  # A seventh, as the summary says


def test_the_figures_of_our_own_run():
    folder = os.path.join(CHAPTER, 'results', 'book')
    with open(os.path.join(folder, 'run.json')) as file:
        info = json.load(file)
    assert info['seconds'] // 60 == 3 * 60 + 19
    points = book.band('mxnet')
    for series, value in info['results'].items():
        last = points[series][-1]
        distance = (value - last.mean) / last.sd
        row = f'| `{series}` | {value:.4f} | {last.mean:.4f} '
        assert f'{row}| {distance:+.1f} sd |' in text()
    history = History.from_csv(os.path.join(folder, 'history.csv'))
    distances = [
        abs(point.distance)
        for point in book.compare(history, 'mxnet')
        if point.series == 'train_loss' and point.epoch > 1
    ]
    assert max(distances) < 2.15
    with open(os.path.join(CHAPTER, 'vgg.md')) as file:
        section = file.read()
    for value in info['results'].values():
        assert f'{value:.4f}' in section
    assert info['started'][:10] in section
