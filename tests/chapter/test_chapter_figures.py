"""The diagrams of the chapter: up to date, and true to the networks."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import draw_cost
import draw_curves
import draw_figures
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
