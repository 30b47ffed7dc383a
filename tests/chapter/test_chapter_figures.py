"""The diagrams of the chapter: up to date, and true to the networks."""

import csv
import json
import re
import runpy
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / 'chapter' / 'results'
DIAGRAMS = runpy.run_path(str(ROOT / 'scripts' / 'draw_figures.py'))
NAMES = ['cost.svg', 'family.svg', 'receptive-field.svg', 'vgg.svg']


@pytest.fixture(scope='module')
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp('img')
    DIAGRAMS['main'](folder)
    runpy.run_path(str(ROOT / 'scripts' / 'draw_cost.py'))['main'](folder)
    return folder


def texts(path, tag):
    root = ElementTree.parse(path).getroot()
    return [e.text for e in root.iter(f'{{http://www.w3.org/2000/svg}}{tag}')]


def test_figures_in_chapter_are_up_to_date(drawn):
    """Otherwise run scripts/draw_figures.py and scripts/draw_cost.py."""
    assert sorted(path.name for path in drawn.iterdir()) == NAMES
    for name in NAMES:
        committed = ROOT / 'chapter' / 'img' / name
        assert committed.read_bytes() == (drawn / name).read_bytes(), name


def test_recorded_curves_are_up_to_date(tmp_path):
    """In what they say: lines are written otherwise by each matplotlib.

    Otherwise run scripts/draw_curves.py.
    """
    script = ROOT / 'scripts' / 'draw_curves.py'
    runpy.run_path(str(script))['main'](tmp_path)
    for path in tmp_path.glob('*/curves.svg'):
        committed = RESULTS / path.parent.name / 'curves.svg'
        said, new = (
            re.findall('<!-- (.*) -->', each.read_text(encoding='utf-8'))
            for each in (committed, path)
        )
        assert said == new, committed
        assert committed.with_suffix('.png').exists()
    names = {path.parent.name for path in tmp_path.glob('*/curves.svg')}
    assert names == {path.parent.name for path in RESULTS.glob('*/run.json')}


def test_figures_scale_and_are_described(drawn):
    for name in NAMES:
        root = ElementTree.parse(drawn / name).getroot()
        box = f'0 0 {root.get("width")} {root.get("height")}'
        assert root.get('viewBox') == box
        for tag in ('title', 'desc'):
            (text,) = texts(drawn / name, tag)
            assert text


def test_family_shows_known_costs(drawn):
    costs = {
        arch.name: (depth, total)
        for arch, depth, total in DIAGRAMS['family_costs']()
    }
    assert list(costs) == ['vgg11', 'vgg13', 'vgg16_1x1', 'vgg16', 'vgg19']
    assert [depth for depth, _ in costs.values()] == [11, 13, 16, 16, 19]
    # By hand: torchvision's 132863336 and 138357544, less 990 classes of
    # 4097 parameters each and 2 input channels of 64 filters of 3 x 3
    assert costs['vgg11'][1].num_params == 132863336 - 990 * 4097 - 1152
    assert costs['vgg16'][1].num_params == 138357544 - 990 * 4097 - 1152
    shown = texts(drawn / 'family.svg', 'text')
    assert {'7.55 G', '128.8 M', '15.41 G', '134.3 M'} <= set(shown)


def test_vgg_shows_layers_and_blocks(drawn):
    shown = texts(drawn / 'vgg.svg', 'text')
    assert '11×11 Conv (96), stride 4' in shown
    assert [text for text in shown if text.startswith('(')] == [
        '(1, 64)',
        '(1, 128)',
        '(2, 256)',
        '(2, 512)',
        '(2, 512)',
        '(num_convs, num_channels)',
    ]


def test_cost_shows_the_recorded_runs_where_they_belong(drawn):
    """Accuracies evenly from below to above, logarithms of seconds across."""
    runs = {}
    for folder in ('cheap', 'resolutions'):
        with open(RESULTS / folder / 'seeds.csv', newline='') as file:
            for row in csv.DictReader(file):
                if not row.get('division'):
                    key = row.get('recipe'), row.get('resize')
                    runs.setdefault((*key, row.get('experiment')), []).append(
                        (float(row['seconds']), float(row['val_acc']))
                    )
    expected = [np.median(group, axis=0) for group in runs.values()]
    info = json.loads((RESULTS / 'book' / 'run.json').read_text())
    expected.append((info['seconds'], info['results']['val_acc']))
    root = ElementTree.parse(drawn / 'cost.svg').getroot()
    svg = '{http://www.w3.org/2000/svg}'
    dots = [
        use
        for group in root.iter(f'{svg}g')
        if group.get('id', '').startswith(('dot-', 'legend-'))
        for use in group.iter(f'{svg}use')
    ]
    places = np.array(
        [(float(dot.get('x')), float(dot.get('y'))) for dot in dots]
    )
    legend = places[:, 1] > 262
    assert legend.sum() == 3
    places = sorted(places[~legend].tolist())
    expected = sorted((np.log(t), -accuracy) for t, accuracy in expected)
    assert len(places) == len(expected)
    for column in range(2):
        drawn_at, true = (
            np.array([row[column] for row in rows])
            for rows in (places, expected)
        )
        slope, offset = np.polyfit(true, drawn_at, 1)
        assert slope > 0
        np.testing.assert_allclose(slope * true + offset, drawn_at, atol=0.02)
    shown = texts(drawn / 'cost.svg', 'text')
    assert {'fast', 'quick', 'best', '84', '96'} <= set(shown)
    assert shown.count('56') == shown.count('224') == 2
    assert "the book's network and training" in shown
    (words,) = texts(drawn / 'cost.svg', 'desc')
    for _, accuracy in expected:
        assert f'{-accuracy:.4f} after' in words
