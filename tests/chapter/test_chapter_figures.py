"""The diagrams of the chapter: up to date, and true to the networks."""

import re
from pathlib import Path

import draw_cost
import draw_curves
import draw_figures

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / 'chapter' / 'results'
NAMES = ['family.svg', 'receptive-field.svg', 'vgg.svg']


def test_diagrams_in_chapter_are_up_to_date(tmp_path):
    """Otherwise run scripts/draw_figures.py."""
    draw_figures.main(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == NAMES
    for name in NAMES:
        committed = ROOT / 'chapter' / 'img' / name
        assert committed.read_bytes() == (tmp_path / name).read_bytes(), name


def said(path):
    """What a picture tells; its lines differ by the version of matplotlib."""
    text = path.read_text(encoding='utf-8')
    # The second title is that of matplotlib
    title = re.findall('<dc:title>(.*)</dc:title>', text)[0]
    return [title, *re.findall('<!-- (.*) -->', text)]


def test_costs_in_chapter_are_up_to_date(tmp_path):
    """Otherwise run scripts/draw_cost.py."""
    draw_cost.main(tmp_path)
    committed = ROOT / 'chapter' / 'img' / 'cost.svg'
    assert said(committed) == said(tmp_path / 'cost.svg')


def test_recorded_curves_are_up_to_date(tmp_path):
    """Otherwise run scripts/draw_curves.py."""
    draw_curves.main(tmp_path)
    for path in tmp_path.glob('*/curves.svg'):
        committed = RESULTS / path.parent.name / 'curves.svg'
        assert said(committed) == said(path), committed
        assert committed.with_suffix('.png').exists()
    names = {path.parent.name for path in tmp_path.glob('*/curves.svg')}
    assert names == {path.parent.name for path in RESULTS.glob('*/run.json')}
