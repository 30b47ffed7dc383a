"""The diagrams of the chapter: up to date, and true to the networks."""

import csv
import json
import re
import runpy
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / 'scripts' / 'draw_figures.py'
COST_SCRIPT = ROOT / 'scripts' / 'draw_cost.py'
NAMES = ['cost.svg', 'family.svg', 'receptive-field.svg', 'vgg.svg']


@pytest.fixture(scope='module')
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp('img')
    for script in SCRIPT, COST_SCRIPT:
        subprocess.run([sys.executable, script, folder], check=True)
    return folder


def texts(path, tag):
    root = ElementTree.parse(path).getroot()
    return [e.text for e in root.iter(f'{{http://www.w3.org/2000/svg}}{tag}')]


def test_scripts_draw_all_figures(drawn):
    assert sorted(path.name for path in drawn.iterdir()) == NAMES


@pytest.mark.parametrize('name', NAMES)
def test_figure_in_chapter_is_up_to_date(drawn, name):
    committed = ROOT / 'chapter' / 'img' / name
    # Otherwise run scripts/draw_figures.py and scripts/draw_cost.py
    assert committed.read_bytes() == (drawn / name).read_bytes()


@pytest.mark.parametrize(
    'name',
    ['book', 'book-jax', 'book-own-draw', 'book-torch', 'quick'],
)
def test_recorded_curves_are_up_to_date(name, tmp_path):
    """In what they say: lines are written otherwise by each matplotlib."""
    script = ROOT / 'scripts' / 'draw_curves.py'
    subprocess.run([sys.executable, script, tmp_path], check=True)
    committed = ROOT / 'chapter' / 'results' / name / 'curves.svg'
    # Otherwise run scripts/draw_curves.py
    said, new = (
        re.findall('<!-- (.*) -->', path.read_text(encoding='utf-8'))
        for path in (committed, tmp_path / name / 'curves.svg')
    )
    assert said == new
    assert (committed.parent / 'curves.png').exists()


@pytest.mark.parametrize('name', NAMES)
def test_figure_scales_and_is_described(drawn, name):
    root = ElementTree.parse(drawn / name).getroot()
    box = f'0 0 {root.get("width")} {root.get("height")}'
    assert root.get('viewBox') == box
    for tag in ('title', 'desc'):
        (text,) = texts(drawn / name, tag)
        assert text


def test_family_shows_known_costs(drawn):
    costs = {
        arch.name: (depth, total)
        for arch, depth, total in runpy.run_path(str(SCRIPT))[
            'family_costs'
        ]()
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
    results = ROOT / 'chapter' / 'results'
    runs = {}
    for folder in ('cheap', 'resolutions'):
        with open(results / folder / 'seeds.csv', newline='') as file:
            for row in csv.DictReader(file):
                if not row.get('division'):
                    key = row.get('recipe'), row.get('resize')
                    runs.setdefault((*key, row.get('experiment')), []).append(
                        (float(row['seconds']), float(row['val_acc']))
                    )
    expected = [np.median(group, axis=0) for group in runs.values()]
    info = json.loads((results / 'book' / 'run.json').read_text())
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
