"""Draw what the recorded runs reached in how much time, into chapter/img.

`python scripts/draw_cost.py [FOLDER]` writes cost.svg from the records in
chapter/results. The same records give the same bytes anywhere.
"""

import collections
import csv
import json
import math
import statistics
import sys
from pathlib import Path

from draw_figures import Drawing

from d2l_vgg.figures import COLORS

RESULTS = Path(__file__).parents[1] / 'chapter' / 'results'
SQUARE = [(-4.5, 4.5), (4.5, 4.5), (4.5, -4.5), (-4.5, -4.5)]
TRIANGLE = [(0, -4.5), (-4.5, 4.5), (4.5, 4.5)]
# Recipe -> what it is, the color and the corners of its dots, none of round
# ones: the shapes differ in grey print too
SERIES = {
    'small': ('fewer poolings, 28×28', COLORS[2], ()),
    'quick': ("the book's blocks, trained like quick", COLORS[0], SQUARE),
    'book': ("the book's network and training", COLORS[1], TRIANGLE),
}
TIMES = {10: '10 s', 60: '1 min', 600: '10 min', 3600: '1 h'}
FIRST_TIME, LAST_TIME = 10, 12000
HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 346, 48, 526, 26, 262


def recorded_costs():
    """Return {recipe: [(name, seconds, val_acc)]} of the recorded runs.

    Of runs that differ in the seed only, the medians.
    """
    groups = collections.defaultdict(list)
    for folder in ('cheap', 'resolutions'):
        with open(RESULTS / folder / 'seeds.csv', newline='') as file:
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


def in_words(costs):
    """Return what the picture shows, for those who do not see it."""
    lines = [
        f'{label}: '
        + ', '.join(
            f'{name} {accuracy:.4f} after {duration(seconds)}'
            for name, seconds, accuracy in costs[recipe]
        )
        for recipe, (label, *_) in SERIES.items()
    ]
    return (
        'Validation accuracy over the time of training on two cores. '
        f'{"; ".join(lines)}.'
    )


def x_of(seconds):
    share = math.log(seconds / FIRST_TIME, LAST_TIME / FIRST_TIME)
    return LEFT + share * (RIGHT - LEFT)


def add_dot(drawing, x, y, color, corners):
    if corners:
        corners = [(x + right, y + down) for right, down in corners]
        style = ' stroke-linejoin="miter"'
        drawing.polygon(corners, color, 'white', style)
    else:
        drawing.elements.append(
            f'<circle cx="{x:.2f}" cy="{y:.2f}" r="4.5" fill="{color}" '
            'stroke="white"/>'
        )


def draw():
    costs = recorded_costs()
    title = 'Accuracy and cost of small VGG networks'
    drawing = Drawing('cost', HEIGHT, title, in_words(costs))
    accuracies = [point[2] for group in costs.values() for point in group]
    lowest = math.floor(100 * min(accuracies) - 0.2)
    highest = math.ceil(100 * max(accuracies) + 0.2)

    def y_of(accuracy):
        share = (100 * accuracy - lowest) / (highest - lowest)
        return BOTTOM - share * (BOTTOM - TOP)

    def line(points, color, style=' stroke-width="0.8"'):
        drawing.line(points, f' fill="none"{style}', color)

    for seconds, text in TIMES.items():
        x = x_of(seconds)
        line([(x, BOTTOM), (x, TOP)], '#e0e0e0')
        drawing.text(x, 275, text)
    for percent in range(lowest + lowest % 2, highest + 1, 2):
        y = y_of(percent / 100)
        line([(LEFT, y), (RIGHT, y)], '#e0e0e0')
        drawing.text(LEFT - 8, y, f'{percent / 100:.2f}', 'end')
    line([(LEFT, TOP), (LEFT, BOTTOM), (RIGHT, BOTTOM)], '#737373')
    drawing.text(LEFT - 40, 12, 'validation accuracy', 'start')
    drawing.text(RIGHT, 292, 'time of training', 'end')
    for i, (recipe, (label, color, corners)) in enumerate(SERIES.items()):
        points = [(x_of(time), y_of(acc)) for _, time, acc in costs[recipe]]
        dashes = ' stroke-width="1.5" stroke-dasharray="5.55 2.4"'
        line(points, color, dashes)
        row = 286 + 50 * (i + 0.5) / 3
        for x, y in [*points, (54, row)]:
            add_dot(drawing, x, y, color, corners)
        drawing.text(66, row, label, 'start')
        for (name, *_), (x, y) in zip(costs[recipe], points):
            if recipe == 'small':  # Below run lines, of others too
                drawing.text(x - 5, y - 13, name, 'end')
            else:
                drawing.text(x, y + 15, name)
    return drawing


if __name__ == '__main__':
    draw().write(*sys.argv[1:2])
