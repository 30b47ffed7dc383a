"""Draw what the recorded runs reached in how much time, into chapter/img.

`python scripts/draw_cost.py [FOLDER]` writes cost.svg. What it tells is read
from the records in chapter/results, and the same records give the same bytes
anywhere, with each matplotlib from 3.7 on.
"""

import collections
import csv
import io
import json
import math
import re
import statistics
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator, NullLocator
from matplotlib.transforms import ScaledTranslation

from d2l_vgg import figures

CHAPTER = Path(__file__).parents[1] / 'chapter'
SVG = '{http://www.w3.org/2000/svg}'

# Recipe -> what it is, and its mark: the shapes differ in grey print too
SERIES = {
    'small': ('fewer poolings, 28×28', 'o', figures.COLORS[2]),
    'quick': (
        "the book's blocks, trained like quick",
        's',
        figures.COLORS[0],
    ),
    'book': ("the book's network and training", '^', figures.COLORS[1]),
}
TIMES = {10: '10 s', 60: '1 min', 600: '10 min', 3600: '1 h'}

# In points, as in the other diagrams: about a column of text
WIDTH, HEIGHT, FONT_SIZE = 540, 346, 12
LEFT, RIGHT, TOP, BOTTOM = 48, 526, 26, 262
# From the middle of capitals down to the line that they stand on. To center
# text itself, matplotlib measures a font, and not the same in each version
HALF_CAPITAL = 4.3


def recorded_costs(results=CHAPTER / 'results'):
    """Return {recipe: [(name, seconds, val_acc)]} of the recorded runs.

    Of runs that differ in the seed only, the medians.
    """
    groups = collections.defaultdict(list)
    for folder in ('cheap', 'resolutions'):
        with open(results / folder / 'seeds.csv', newline='') as file:
            for row in csv.DictReader(file):
                if not row.get('division'):
                    recipe = row.get('recipe', 'small')
                    name = row.get('resize') or row['experiment']
                    groups[recipe, name].append(
                        (float(row['seconds']), float(row['val_acc']))
                    )
    info = json.loads((results / 'book' / 'run.json').read_text())
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


def draw(costs):
    """Return a Figure of accuracies over times, as `recorded_costs` has them.

    The element of each dot is named `dot-<recipe>-<name>`, that of its dot in
    the legend `legend-<recipe>`.
    """
    figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72))
    ax = figure.add_axes(_box(LEFT, RIGHT, TOP, BOTTOM))
    _set_axes(ax, [p[2] for group in costs.values() for p in group])
    legend = figure.add_axes(_box(LEFT, RIGHT, BOTTOM + 24, HEIGHT - 10))
    legend.set(xlim=(0, RIGHT - LEFT), ylim=(len(SERIES) - 0.5, -0.5))
    legend.axis('off')
    for i, (recipe, (label, marker, color)) in enumerate(SERIES.items()):
        style = {
            'marker': marker,
            'markersize': 9,
            'color': color,
            'markeredgecolor': 'white',
            'clip_on': False,
        }
        _, seconds, accuracies = zip(*costs[recipe])
        ax.plot(seconds, accuracies, '--', color=color, clip_on=False)
        for name, *place in costs[recipe]:
            style['gid'] = f'dot-{recipe}-{name}'
            ax.plot(*zip(place), linestyle='', **style)
            if recipe == 'small':  # Below run lines, of others too
                _write(ax, name, place, -5, 13, ha='right')
            else:
                _write(ax, name, place, 0, -15, ha='center')
        style['gid'] = f'legend-{recipe}'
        legend.plot(6, i, linestyle='', **style)
        _write(legend, label, (6, i), 12, 0)
    return figure


def _set_axes(ax, accuracies):
    """Set the scales, and write what they are."""
    ax.set(
        xscale='log',
        xlim=(10, 12000),
        ylim=(
            math.floor(100 * min(accuracies) - 0.2) / 100,
            math.ceil(100 * max(accuracies) + 0.2) / 100,
        ),
    )
    ax.set_xticks(list(TIMES), list(TIMES.values()))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_locator(MultipleLocator(0.02))
    ax.yaxis.set_major_formatter('{x:.2f}')
    ax.tick_params(length=0, labelsize=FONT_SIZE)
    ax.tick_params('x', pad=13 + HALF_CAPITAL)
    ax.tick_params('y', pad=8)
    ax.grid(color='0.88', linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[['top', 'right']].set_visible(False)
    ax.spines[:].set_color(figures.GRAY)
    lower = ScaledTranslation(
        0, -HALF_CAPITAL / 72, ax.figure.dpi_scale_trans
    )
    for label in ax.get_yticklabels():
        label.set_transform(label.get_transform() + lower)
    for label in ax.get_xticklabels() + ax.get_yticklabels():
        label.set_verticalalignment('baseline')
    # The names of clips would differ between versions
    for line in ax.get_xgridlines() + ax.get_ygridlines():
        line.set_clip_on(False)
    corner = {'xycoords': 'axes fraction'}
    _write(ax, 'validation accuracy', (0, 1), -LEFT + 8, 14, **corner)
    _write(ax, 'time of training', (1, 0), 0, -30, ha='right', **corner)


def _write(ax, text, place, right, up, **style):
    """Write text, its middle so many points to the right of and above."""
    ax.annotate(
        text,
        place,
        xytext=(right, up - HALF_CAPITAL),
        textcoords='offset points',
        fontsize=FONT_SIZE,
        va='baseline',
        annotation_clip=False,
        **style,
    )


def _box(left, right, top, bottom):
    """Return where axes are, as matplotlib wants it: shares, from below."""
    return (
        left / WIDTH,
        1 - bottom / HEIGHT,
        (right - left) / WIDTH,
        (bottom - top) / HEIGHT,
    )


def as_svg(figure, name, title, description):
    """Return a figure as SVG like the chapter's other diagrams.

    It has a size in pixels and tells what it shows to those who do not see
    it; its text is text, in the page's fonts.
    """
    file = io.BytesIO()
    with matplotlib.rc_context({'svg.fonttype': 'none'}):
        figures.write_svg(figure, file)
    ElementTree.register_namespace('', SVG[1:-1])
    ElementTree.register_namespace('xlink', 'http://www.w3.org/1999/xlink')
    root = ElementTree.fromstring(file.getvalue())
    # It names the version of matplotlib
    root.remove(root.find(f'{SVG}metadata'))
    root.attrib.update(
        {
            'width': f'{WIDTH}',
            'height': f'{HEIGHT}',
            'role': 'img',
            'aria-labelledby': f'{name}-title {name}-desc',
            'font-family': 'Helvetica, Arial, sans-serif',
            'font-size': f'{FONT_SIZE}',
            'fill': '#222222',
        }
    )
    for i, (tag, text) in enumerate(
        {'title': title, 'desc': description}.items()
    ):
        element = ElementTree.Element(SVG + tag, id=f'{name}-{tag}')
        element.text, element.tail = text, '\n'
        root.insert(i, element)
    for text in root.iter(SVG + 'text'):
        # Versions differ in how they write the font, which is said above
        anchor = re.search(r'text-anchor: (\w+)', text.attrib.pop('style'))
        text.set('text-anchor', anchor.group(1))
        del text.attrib['transform']  # By no angle
    return ElementTree.tostring(root, encoding='unicode') + '\n'


def main(folder=CHAPTER / 'img'):
    """Write the picture into `folder`."""
    costs = recorded_costs()
    title = 'Accuracy and cost of small VGG networks'
    svg = as_svg(draw(costs), 'cost', title, in_words(costs))
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    # Bytes, so that line ends are the same on every system
    (folder / 'cost.svg').write_bytes(svg.encode())


if __name__ == '__main__':
    main(*sys.argv[1:2])
