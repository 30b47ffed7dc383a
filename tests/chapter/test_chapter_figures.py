"""The diagrams of the chapter: up to date, and true to the networks."""

import csv
import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import draw_cost
import draw_curves
import draw_figures
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / 'chapter' / 'results'
NAMES = ['cost.svg', 'family.svg', 'receptive-field.svg', 'vgg.svg']


@pytest.fixture(scope='module')
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp('img')
    draw_figures.main(folder)
    draw_cost.draw().write(folder)
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
    draw_curves.main(tmp_path)
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
        for arch, depth, total in draw_figures.family_costs()
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


def test_cost_tells_every_recorded_experiment(drawn):
    runs = {}
    for folder in ('cheap', 'resolutions'):
        with open(RESULTS / folder / 'seeds.csv', newline='') as file:
            for row in csv.DictReader(file):
                if not row.get('division'):
                    key = row.get('recipe'), row.get('resize')
                    runs.setdefault((*key, row.get('experiment')), []).append(
                        float(row['val_acc'])
                    )
    medians = [np.median(group) for group in runs.values()]
    info = json.loads((RESULTS / 'book' / 'run.json').read_text())
    (words,) = texts(drawn / 'cost.svg', 'desc')
    for accuracy in [*medians, info['results']['val_acc']]:
        assert f'{accuracy:.4f} after' in words
