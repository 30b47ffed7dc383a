"""The figures of `chapter/reproduce.md` are those of the records."""

import csv
import json
import os
import statistics

import numpy as onp
import study

from d2l_vgg.book import published
from d2l_vgg.training.history import History

CHAPTER = os.path.join(os.path.dirname(__file__), '..', '..', 'chapter')


def text(name='reproduce.md'):
    path = os.path.join(CHAPTER, name)
    with open(path, encoding='utf-8') as file:
        return ' '.join(file.read().split())


def outcomes(biases):
    name = '32px-lr0.05-batch128-epochs2.csv'
    path = os.path.join(CHAPTER, 'results', 'study', name)
    return [o for o in study.read(path) if o.biases == biases]


def test_the_table_of_the_published_runs():
    for framework, title in published.FRAMEWORKS.items():
        points = published.band(framework)
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
        for b in ('zero', 'uniform')
    )
    assert f'after {zero[0]:.0f} and {zero[1]:.0f} minibatches' in text()
    assert f'the first left it after {uniform[0]:.0f}' in text()
    assert onp.isnan(uniform[1])


def test_what_the_delay_explains():
    delay = statistics.median(
        published.delay(run) for run in published.runs('pytorch').values()
    )
    points = published.band()['val_acc']
    early = onp.interp(
        10 - delay, [p.epoch for p in points], [p.mean for p in points]
    )
    gap = points[-1].mean - published.band('pytorch')['val_acc'][-1].mean
    explained = points[-1].mean - early
    assert f'is {delay:.2f} epochs' in text()
    assert f'shows {early:.4f}' in text()
    assert f'for {explained:.4f} of the difference of {gap:.4f}' in text()
    assert round(gap / explained) == 7  # A seventh, as the summary says


def record(name):
    """Return what `run.json` tells of a recorded run, and its history."""
    folder = os.path.join(CHAPTER, 'results', name)
    with open(os.path.join(folder, 'run.json')) as file:
        info = json.load(file)
    return info, History.from_csv(os.path.join(folder, 'history.csv'))


def distances(history, framework, *series):
    """Return the distances from a tab's mean, in its standard deviations."""
    return [
        abs(row.distance)
        for row in published.compare(history, framework)
        if row.series in series
    ]


def test_the_table_of_our_own_runs():
    info, _ = record('book')
    assert info['hyperparameters']['draw'] == 'published'
    assert info['seconds'] // 60 == 60 + 44
    other, _ = record('book-own-draw')
    assert other['seconds'] // 60 == 3 * 60 + 19
    for run in (info, other):
        assert run['status'] == 'finished'
    for series, value in info['results'].items():
        cells = [value, other['results'][series]]
        for tab in ('mxnet', 'pytorch'):
            cells.append(published.band(tab)[series][-1].mean)
        row = ' | '.join(f'{cell:.4f}' for cell in cells)
        assert f'| `{series}` | {row} |' in text()


def test_our_runs_agree_with_mxnet_in_training_and_pytorch_in_validation():
    _, history = record('book')
    _, other = record('book-own-draw')
    first, first_of_other = (
        h.points['train_loss'][0][1] for h in (history, other)
    )
    assert f'as {first:.3f} on a processor' in text()
    assert f'had {first_of_other:.3f} there' in text()
    found = distances(history, 'mxnet', 'train_loss')
    assert len(found) == 20
    assert max(found) < 2.75 and max(found[:7]) < 1.25
    last = published.compare(history, 'mxnet')
    loss, accuracy = (
        [r.distance for r in last if r.series == s][-1]
        for s in ('val_loss', 'val_acc')
    )
    assert f'loss is {loss:.1f} standard deviations too high' in text()
    assert f'its accuracy {-accuracy:.1f} too low' in text()
    for run in (history, other):
        validation = distances(run, 'pytorch', 'val_loss', 'val_acc')
        assert len(validation) == 20 and max(validation) < 2


def test_the_table_of_the_other_tabs():
    whole = {'pytorch': 'book-torch', 'jax': 'book-jax'}
    far = []
    for series in ('train_loss', 'val_loss', 'val_acc'):
        cells = []
        for tab, name in whole.items():
            info, history = record(name)
            assert info['status'] == 'finished'
            assert info['experiment'] == 'book' and not info['trial']
            assert info['hyperparameters']['draw'] == 'published'
            mean = published.band(tab)[series][-1].mean
            cells += [info['results'][series], mean]
            far.append(distances(history, tab, series)[-1])
        row = ' | '.join(f'{cell:.4f}' for cell in cells)
        assert f'| `{series}` | {row} |' in text()
    assert f'within {max(far):.1f} standard deviations' in text()
    rounded = record('book-torch-bfloat16')[0]['results'].values()
    assert 'ends at {:.4f}, {:.4f} and {:.4f}'.format(*rounded) in text()


def first_points(framework, seed, series='train_loss'):
    path = os.path.join(CHAPTER, 'results', 'first-points', 'points.csv')
    with open(path, newline='') as file:
        return [
            float(row['value'])
            for row in csv.DictReader(file)
            if row['framework'] == framework
            and row['seed'] == str(seed)
            and row['series'] == series
        ]


def test_the_first_points_of_other_draws():
    losses = first_points('tensorflow', 0)[:3]
    assert '{:.3f}, {:.3f} and {:.3f}, lie'.format(*losses) in text()
    band = published.band('tensorflow')
    far = [
        (point.mean - loss) / point.sd
        for point, loss in zip(band['train_loss'], losses)
    ]
    assert 'lie {:.1f}, {:.1f} and {:.1f} standard'.format(*far) in text()
    point, accuracy = (
        band['val_acc'][1],
        first_points('tensorflow', 0, 'val_acc')[1],
    )
    above = (accuracy - point.mean) / point.sd
    assert f'second epoch {above:.1f} above' in text()
    first, errors = {}, {}
    for framework, tab in [
        ('tensorflow', 'tensorflow'),
        ('torch', 'pytorch'),
    ]:
        values = [first_points(framework, seed)[0] for seed in range(3)]
        first[framework] = values
        point = published.band(tab)['train_loss'][0]
        error = onp.hypot(
            statistics.stdev(values) / 3**0.5, point.sd / point.runs**0.5
        )
        errors[framework] = (point.mean - statistics.mean(values)) / error
    assert 'of {1:.3f} and {2:.3f}'.format(*first['tensorflow']) in text()
    told = 'to {:.3f}, {:.3f} and {:.3f}'.format(*first['torch'])
    assert told in text()
    told = '{tensorflow:.1f} and {torch:.1f} standard errors'
    assert told.format(**errors) in text()


def test_the_section_tells_the_runs_of_other_tabs_as_they_were():
    section = text('vgg.md')
    for tab, name in [('pytorch', 'book-torch'), ('jax', 'book-jax')]:
        info, history = record(name)
        for value in info['results'].values():
            assert f'{value:.4f}' in section
        assert f'took {info["seconds"]:.0f} seconds' in section
        far = distances(history, tab, 'train_loss', 'val_loss', 'val_acc')
        if tab == 'pytorch':
            assert f'{far[0]:.1f} standard deviations below' in section
            assert max(far[1:]) < 3
    info, _ = record('book-torch-bfloat16')
    assert f'`--precision bfloat16` {info["seconds"]:.0f}.' in section


def test_the_section_tells_our_run_as_it_was():
    info, _ = record('book')
    section = text('vgg.md')
    for value in info['results'].values():
        assert f'{value:.4f}' in section
    assert info['started'][:10] in section
    assert '1 hour and 44 minutes' in section
