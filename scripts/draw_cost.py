"""Draw what the recorded runs reached in how much time, into chapter/img.

`python scripts/draw_cost.py [FOLDER]` writes cost.svg from the records in
chapter/results.
"""

import collections
import csv
import json
import statistics
import sys
from pathlib import Path

from matplotlib.figure import Figure

from d2l_vgg import figures

CHAPTER = Path(__file__).parents[1] / 'chapter'
RESULTS = CHAPTER / 'results'
# Recipe -> what it is, the color and the shape of its dots, which tells them
# apart in grey print too
SERIES = {
    'small': ('fewer poolings, 28×28', figures.COLORS[2], 'o'),
    'quick': (
        "the book's blocks, trained like quick",
        figures.COLORS[0],
        's',
    ),
    'book': ("the book's network and training", figures.COLORS[1], '^'),
}
TIMES = {10: '10 s', 60: '1 min', 600: '10 min', 3600: '1 h'}


def recorded_costs(*names):
    """Return {recipe: [(name, seconds, val_acc)]} of the recorded runs.

    Of runs that differ in the seed only, the medians. `names` are those of
    files, by default of all that were recorded on one processor.
    """
    groups = collections.defaultdict(list)
    for name in names or ('cheap/seeds.csv', 'resolutions/seeds.csv'):
        with open(RESULTS / name, newline='') as file:
            for row in csv.DictReader(file):
                if not row.get('division'):
                    recipe = row.get('recipe', 'small')
                    name = row.get('resize') or row['experiment']
                    groups[recipe, name].append(
                        (float(row['seconds']), float(row['val_acc']))
                    )
    info = json.loads((RESULTS / 'book' / 'run.json').read_text())
    groups['book', '224'] = [(info['seconds'], info['results']['val_acc'])]
    costs = collections.defaultdict(list)
    for (recipe, name), runs in groups.items():
        costs[recipe].append((name, *map(statistics.median, zip(*runs))))
    return costs


def duration(seconds):
    """Return a time in words, with two digits or more."""
    if seconds < 100:
        return f'{seconds:.0f} seconds'
    minutes = seconds / 60
    return f'{minutes:.{0 if minutes >= 9.95 else 1}f} minutes'


def draw():
    figure = Figure(figsize=(5.6, 3.8), layout='constrained')
    ax = figure.subplots()
    words = []
    for recipe, points in recorded_costs().items():
        label, color, marker = SERIES[recipe]
        names, times, accuracies = zip(*points)
        ax.plot(times, accuracies, marker + '--', color=color, label=label)
        # Lines of others run below the dots of `small`
        above = recipe == 'small'
        for name, *point in points:
            ax.annotate(
                name,
                point,
                (-4, 6) if above else (0, -13),
                textcoords='offset points',
                ha='right' if above else 'center',
                fontsize='small',
            )
        ends = (f'{n} {a:.4f} after {duration(t)}' for n, t, a in points)
        words.append(f'{label}: {", ".join(ends)}')
    ax.set_xscale('log')
    ax.set_xticks(list(TIMES), list(TIMES.values()))
    ax.minorticks_off()
    ax.set(xlim=(8, 12000), xlabel='time of training')
    ax.set_ylabel('validation accuracy')
    ax.margins(y=0.12)
    ax.grid(color='0.9')
    ax.spines[['top', 'right']].set_visible(False)
    figure.legend(loc='outside lower left', frameon=False)
    figure.set_label(
        'Validation accuracy over the time of training on two cores. '
        f'{"; ".join(words)}.'
    )
    return figure


def main(folder=CHAPTER / 'img'):
    figures.save(draw(), Path(folder, 'cost.svg'))


if __name__ == '__main__':
    main(*sys.argv[1:2])
