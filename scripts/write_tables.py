"""Write the tables of figures into the texts, from records and from costs.

`python scripts/write_tables.py` writes what stands between the two marks
`<!-- table: NAME -->` and `<!-- end of table -->` of each Markdown file.
"""

import csv
import itertools
import json
import re
import statistics
import sys
from pathlib import Path

import draw_cost
from draw_cost import RESULTS
from tabulate import tabulate

from d2l_vgg.book import published
from d2l_vgg.files import write_text
from d2l_vgg.frameworks import FRAMEWORKS
from d2l_vgg.networks import costs
from d2l_vgg.training.experiments import EXPERIMENTS

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / 'benchmarks'))
TEXTS = [
    ROOT / 'README.md',
    ROOT / 'BENCHMARKS.md',
    *sorted((ROOT / 'chapter').glob('*.md')),
    *sorted(RESULTS.glob('*/README.md')),
]
MARKED = re.compile(
    r'(<!-- table: (\S+) -->\n\n).*?(\n\n<!-- end of table -->)', re.S
)
SERIES = 'train_loss', 'val_loss', 'val_acc'

# Table 3 of Simonyan and Zisserman (2014): top-1 and top-5 error in percent,
# by the scale of the training images, 256 or 256 to 512
ERRORS = {
    'A': ('29.6 / 10.4', ''),
    'A-LRN': ('29.7 / 10.5', ''),
    'B': ('28.7 / 9.9', ''),
    'C': ('28.1 / 9.4', '27.3 / 8.8'),
    'D': ('27.0 / 8.8', '25.6 / 8.1'),
    'E': ('27.3 / 9.0', '25.5 / 8.0'),
}
# What the study measured, with its digits
MEASURED = {
    'plateau': ('minibatches on the plateau', 0),
    'first_loss': ('training loss of the first half epoch', 4),
    'train_loss': ('training loss of the last half epoch', 3),
    'val_acc': ('validation accuracy after 2 epochs', 3),
}


def markdown(rows, num_left=1):
    """Return a table in Markdown, the first row its head.

    The first `num_left` columns are aligned to the left, others to the right.
    """
    head, *rows = rows
    align = ['left'] * num_left + ['right'] * (len(head) - num_left)
    return tabulate(rows, head, 'pipe', colalign=align, disable_numparse=True)


def records(name):
    text = (RESULTS / name).read_text('utf-8')
    return list(csv.DictReader(text.splitlines()))


def mean_and_sd(values):
    return f'{statistics.mean(values):.4f} ({statistics.stdev(values):.4f})'


def cheap():
    """Yield the lowest and the median of what each cheap experiment reaches.

    Seconds are medians, of training with validation and of the command.
    """
    yield 'experiment family runs lowest median training command'.split()
    files = {'25': 'cheap/records.csv', '26': 'cheap/seeds.csv'}
    for family, file in files.items():
        runs = [r for r in records(file) if not r.get('division')]
        for name in EXPERIMENTS:
            found = [r for r in runs if r['experiment'] == name]
            if found:
                accuracies = [float(r['val_acc']) for r in found]
                middle = statistics.median(accuracies)
                yield (name, family, str(len(found)),
                       f'{min(accuracies):.4f}', f'{middle:.4f}',
                       duration(found, 'seconds'),
                       duration(found, 'command'))  # fmt: skip


def duration(runs, column):
    """Return the median of these seconds in words, '' of none."""
    if column not in runs[0]:
        return ''
    seconds = statistics.median(float(run[column]) for run in runs)
    return draw_cost.duration(seconds)


def reached():
    """Yield what the cheap experiments and the book's cost and reach.

    A dagger is with times on another processor than that of the book's.
    """
    yield ('experiment', 'parameters', 'million multiply-adds',
           'accuracy', 'seconds')  # fmt: skip
    found = draw_cost.recorded_costs()
    (book,) = (run for size, *run in found['book'] if size == '224')
    found = [('book', *book), *found['small']]
    runs = {name: (f'{t:,.0f}', a) for name, t, a in found}
    for name, t, a in draw_cost.recorded_costs('cheap/records.csv')['small']:
        runs.setdefault(name, (f'{t:,.0f}†', a))
    for name in filter(runs.get, EXPERIMENTS):
        seconds, accuracy = runs[name]
        size = EXPERIMENTS[name].resize
        total = costs.totals(EXPERIMENTS[name].arch, (1, size, size))
        yield (name, f'{total.num_params:,}', f'{total.macs / 1e6:.1f}',
               f'{accuracy:.4f}', seconds)  # fmt: skip


def resolutions():
    """Yield what the book's blocks reach at each size, trained as `quick`."""
    yield 'pixels', 'validation accuracy', 'time'
    for size, seconds, accuracy in draw_cost.recorded_costs()['quick']:
        time = draw_cost.duration(seconds)
        yield f'{size} x {size}', f'{accuracy:.4f}', time


def sizes():
    """Yield what the book's network costs, and how fast it trains."""
    yield 'pixels', 'multiply-adds', 'images a second'
    text = (ROOT / 'BENCHMARKS.md').read_text('utf-8')
    row = re.search(r'\| MXNet \| ours \|(.+)', text)[1]
    for size, speed in zip((224, 96, 56), re.findall(r'([\d.]+) \(', row)):
        total = costs.totals('vgg_small', (1, size, size))
        yield f'{size} x {size}', f'{total.macs:,}', speed


def frameworks():
    """Yield what the cheap experiments reach in each framework."""
    yield 'experiment framework runs median lowest highest sd'.split()
    runs = [r for r in records('cheap/seeds.csv') if not r['division']]
    runs += records('cheap/records.csv') + records('frameworks/seeds.csv')
    for experiment in 'fast', 'quick':
        for name, framework in FRAMEWORKS.items():
            found = [
                float(run['val_acc'])
                for run in runs
                if run['experiment'] == experiment
                and run.get('framework', 'mxnet') == name
            ]
            told = statistics.median, min, max, statistics.stdev
            told = [f'{each(found):.4f}' for each in told]
            yield experiment, framework.title, str(len(found)), *told


def lesson(what):
    """Return the recorded runs of an experiment of the lesson."""
    return [r for r in records('lesson/seeds.csv') if r['what'] == what]


# How the text calls the networks of its first experiments
FIRST = {
    'plain': '`VGG`',
    'unnormalized': '`SmallVGG`, not normalized',
    'normalized': '`SmallVGG`',
}


def plain():
    """Yield how the section's first experiments end in each tab.

    Accuracies are of runs on one thread, seconds of those on two, which are
    measured on a quiet machine.
    """
    yield 'framework network runs median range seconds'.split()
    for name, framework in FRAMEWORKS.items():
        for what, title in FIRST.items():
            runs = [r for r in lesson(what) if r['framework'] == name]
            found = [float(r['val_acc']) for r in runs if r['threads'] == '1']
            times = [float(r['seconds']) for r in runs if r['threads'] == '2']
            if found:
                middle = f'{statistics.median(found):.3f}'
                ends = f'{min(found):.3f} to {max(found):.3f}'
                ends = ends if len(found) > 1 else ''
                seconds = f'{min(times):.0f}' if times else ''
                row = title, str(len(found)), middle, ends, seconds
                yield framework.title, *row


# How the text calls the networks of "Deep or Wide"
NETWORKS = {'pairs': 'pairs', 'large': '5 x 5', 'wide': 'wide'}
# By family of the processor, which was not told of the first, and threads
MACHINES = {
    ('', '1'): 'one thread',
    ('', '2'): 'two threads',
    ('25', '1'): 'another, one thread',
}


def accuracies(what, machine):
    return [
        float(run['val_acc'])
        for run in lesson(what)
        if (run['family'], run['threads']) == machine
    ]


def deep_or_wide():
    """Yield what each network reaches on each machine."""
    yield 'processor', 'network', 'runs', 'mean', 'lowest', 'highest'
    for machine, title in MACHINES.items():
        for what, name in NETWORKS.items():
            found = accuracies(what, machine)
            told = [f(found) for f in (statistics.mean, min, max)]
            cells = [f'{number:.4f}' for number in told]
            yield title, name, str(len(found)), *cells


def separation():
    """Yield by how much two networks differ on the machine of most runs."""
    yield 'networks', 'difference', 'splits', 'that differ as much'
    for pair in itertools.combinations(NETWORKS, 2):
        found = [accuracies(what, ('25', '1')) for what in pair]
        difference, far, total = split(*found)
        names = ' and '.join(NETWORKS[what] for what in pair)
        yield names, f'{difference:+.4f}', str(total), str(far)


def compiled():
    """Yield the median of the times that the cell of each tab has told."""
    yield 'framework', 'how', 'seconds'
    for framework in FRAMEWORKS.values():
        path = RESULTS / 'cells' / f'compile-{framework.tab}.txt'
        times = {}
        text = path.read_text('utf-8') if path.exists() else ''
        for how, seconds in re.findall('^(.+): ([0-9.]+) sec', text, re.M):
            times.setdefault(how, []).append(float(seconds))
        for how, found in times.items():
            yield framework.title, how, f'{statistics.median(found):.2f}'


def split(one, other):
    """Compare the means of two lists with those of all other splits of them.

    Returns their difference, how many of all splits of the numbers into lists
    of these lengths have one at least as large on either side, and how many
    splits there are.
    """
    numbers, count = one + other, len(one)

    def difference(first):
        return first / count - (sum(numbers) - first) / len(other)

    found = difference(sum(one))
    sums = list(map(sum, itertools.combinations(numbers, count)))
    # Rounding must not leave out the split itself
    far = sum(abs(difference(s)) >= abs(found) - 1e-9 for s in sums)
    return found, far, len(sums)


def divisions():
    """Yield means, and deviations, of `quick` on each division."""
    yield 'division', *(f'`{series}`' for series in SERIES)
    runs = [
        r for r in records('cheap/seeds.csv') if r['experiment'] == 'quick'
    ]
    for title, divided in ("Zalando's", False), ('drawn by chance', True):
        chosen = [run for run in runs if bool(run['division']) == divided]
        columns = ([float(run[name]) for run in chosen] for name in SERIES)
        yield title, *map(mean_and_sd, columns)


def paper():
    """Yield the cost of the paper's networks, and their errors."""
    yield ('network', 'layers', 'parameters', 'multiply-adds',
           'errors, $S = 256$', '$S$ from 256 to 512')  # fmt: skip
    for name, errors in ERRORS.items():
        rows = costs.summary(name, (3, 224, 224), 1000)
        params = sum(row.num_params for row in rows)
        macs = sum(row.macs for row in rows)
        layers = sum(row.macs > 0 for row in rows)
        name += {'D': ' (VGG-16)', 'E': ' (VGG-19)'}.get(name, '')
        yield (name, str(layers), f'{params / 1e6:.1f} M',
               f'{macs / 1e9:.2f} G', *errors)  # fmt: skip


def published_runs():
    """Yield means, and deviations, of the published runs of each tab."""
    yield 'tab', 'first `train_loss`', *(f'last `{name}`' for name in SERIES)
    for tab, title in published.FRAMEWORKS.items():
        band = published.band(tab)
        first = band['train_loss'][0]
        ends = [band[series][-1] for series in SERIES]
        cells = [f'{end.mean:.4f} ({end.sd:.4f})' for end in ends]
        yield title, f'{first.mean:.3f} ({first.sd:.3f})', *cells


def measured(name):
    """Return the table of the rounds in a file of the benchmark."""
    import bench

    return bench.table(bench.read_rounds(ROOT / 'benchmarks' / name))


def spread():
    """Yield how far runs of the study differ by draws, and by shuffles."""
    yield 'quantity', 'mean', 'over draws', 'over shuffles'
    import study

    runs = study.read(RESULTS / 'study/32px-lr0.05-batch128-epochs2.csv')
    runs = [run for run in runs if run.biases == 'zero']
    for name, (title, digits) in MEASURED.items():
        numbers = study.spread(study.by_draw(runs, name))
        cells = (f'{n:.{digits}f}' if n else 'none found' for n in numbers)
        yield title, *cells


def first_points():
    """Yield the first point of the training loss from several draws."""
    tabs = 'torch', 'tensorflow'
    yield 'draw', *(FRAMEWORKS[tab].title for tab in tabs)
    points = {
        (p['framework'], p['seed']): float(p['value'])
        for p in reversed(records('first-points/points.csv'))
        if p['series'] == 'train_loss'
    }
    for seed in '012':
        yield f'seed {seed}', *(f'{points[tab, seed]:.3f}' for tab in tabs)
    means = [published.band(tab)['train_loss'][0] for tab in tabs]
    yield 'published', *(f'{p.mean:.3f} ({p.sd:.3f})' for p in means)


def tensorflow():
    """Yield TensorFlow's first points beside the published ones."""
    yield 'epoch', 'ours', 'published', 'deviations'
    points = records('first-points/points.csv')
    ours = [float(p['value']) for p in points
            if (p['framework'], p['seed'], p['series'])
            == ('tensorflow', '0', 'train_loss')]  # fmt: skip
    band = published.band('tensorflow')['train_loss']
    for value, point in list(zip(ours, band))[:3]:
        told = f'{point.mean:.3f} ({point.sd:.3f})'
        shift = (value - point.mean) / point.sd
        yield f'{point.epoch:.2f}', f'{value:.3f}', told, f'{shift:.1f}'


def run(name):
    """Return at what a recorded run ended."""
    return json.loads((RESULTS / name / 'run.json').read_text())['results']


def mean(tab):
    """Return at what the published runs of a tab ended, on average."""
    band = published.band(tab)
    return {series: band[series][-1].mean for series in SERIES}


def ends(columns):
    """Yield a row for each series of what ended where."""
    yield 'at the end', *columns
    for series in SERIES:
        values = (column[series] for column in columns.values())
        yield f'`{series}`', *(f'{value:.4f}' for value in values)


OURS = {
    'published draw': run('book'), 'own draw': run('book-own-draw'),
    "MXNet's mean": mean('mxnet'), "PyTorch's mean": mean('pytorch'),
}  # fmt: skip
OTHERS = {
    'PyTorch, ours': run('book-torch'), "PyTorch's mean": mean('pytorch'),
    'JAX, ours': run('book-jax'), "JAX's mean": mean('jax'),
}  # fmt: skip


def unknown():
    """Yield which share of images the live network refuses."""
    yield 'images', 'number', 'refused by probability', 'by hidden units'
    for row in records('unknown/rates.csv'):
        rates = row['probability'], row['hidden units']
        percent = [f'{float(rate):.1%}' for rate in rates]
        yield row['images'], row['count'], *percent


# Name of a table -> its text
TABLES = {
    'epyc-25': measured('epyc-25.jsonl'),
    'cheap': markdown(cheap()),
    'reached': markdown(reached()),
    'resolutions': markdown(resolutions()),
    'sizes': markdown(sizes()),
    'frameworks': markdown(frameworks(), num_left=2),
    'plain': markdown(plain(), num_left=2),
    'compiled': markdown(compiled(), num_left=2),
    'deep-or-wide': markdown(deep_or_wide(), num_left=2),
    'separation': markdown(separation()),
    'divisions': markdown(divisions()),
    'paper': markdown(paper()),
    'published': markdown(published_runs()),
    'spread': markdown(spread()),
    'first': markdown(first_points()),
    'tensorflow': markdown(tensorflow()),
    'ours': markdown(ends(OURS)),
    'others': markdown(ends(OTHERS)),
    'unknown': markdown(unknown()),
}


def written(text):
    """Return a text with its tables as they are to be."""

    def fill(match):
        begin, name, end = match.groups()
        return begin + TABLES[name] + end

    return MARKED.sub(fill, text)


if __name__ == '__main__':
    for path in TEXTS:
        write_text(path, written(path.read_text('utf-8')))
