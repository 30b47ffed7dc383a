"""Any name is drawn as it is, as far as there are letters for it."""

import re

import pytest
from pictures import published_run

from d2l_vgg import figures
from d2l_vgg.figures import lettering

# In no font that matplotlib brings
DEEP = '\u6df1'


@pytest.mark.parametrize(
    'name, drawn',
    [
        ('_hidden', '_hidden'),
        ('$x^2$', '$x^2$'),
        (r'\$', r'\$'),
        ('two\nlines', r'two\nlines'),
        ('\x1b[31mred', r'\x1b[31mred'),
        (DEEP, r'\u6df1'),
    ],
)
@pytest.mark.filterwarnings('error')
def test_a_name_stands_in_the_legend(name, drawn, tmp_path):
    if lettering.drawable(DEEP) == DEEP:
        drawn = drawn.replace(r'\u6df1', DEEP)
    run = published_run()
    figure = figures.curves({name: run, 'other': run})
    (legend,) = figure.legends
    assert [t.get_text() for t in legend.get_texts()] == [drawn, 'other']
    # matplotlib writes a formula into an SVG in another way
    (svg, _) = figures.save(figure, tmp_path / 'picture')
    with open(svg, encoding='utf-8') as file:
        seen = re.findall(r'<!-- (.*) -->', file.read())
    assert seen.count(drawn) == 1


def test_what_is_too_long_is_broken_or_loses_its_middle():
    text = 'the first words of a name and the last ones'
    assert lettering.fitted(text, 9, 1) == text
    short = lettering.fitted(text, 1.5, 1)
    first, last = short.split('\u2026')
    assert len(short) > 10
    assert text.startswith(first) and text.endswith(last)
    lines = lettering.fitted(text, 1.5, 9).splitlines()
    assert len(lines) > 1 and ' '.join(lines) == text
    assert lettering.fitted('x' * 100, 1.5, 99).replace('\n', '') == 'x' * 100
    first, second = lettering.fitted(text, 1.5, 2).splitlines()
    assert text.startswith(first) and second.endswith('ones')
