"""Tables come out aligned, with no blank at the end of a line."""

import pytest

from d2l_vgg import tables

ROWS = [('name', 'count'), ('a', '10'), ('longer', '')]


def test_columns_are_as_wide_as_their_widest_cells():
    assert tables.lay_out(ROWS, '<>') == [
        'name    count',
        'a          10',
        'longer',
    ]


def test_a_rule_under_the_header_and_columns_of_a_least_width():
    lines = tables.lay_out(ROWS, '><', widths=(8, 2), gap=' | ', rule=True)
    assert lines == [
        '    name | count',
        '-------- | -----',
        '       a | 10',
        '  longer |',
    ]


def test_markdown():
    assert tables.lay_out(ROWS, '<>', markdown=True) == [
        '| name   | count |',
        '| ------ | ----: |',
        '| a      |    10 |',
        '| longer |       |',
    ]


def test_a_table_without_rows():
    assert tables.lay_out([], '<>', widths=(3, 3)) == []
    header = [('a', 'b')]
    assert tables.lay_out(header, '<>', widths=(3, 3), rule=True) == [
        'a      b',
        '---  ---',
    ]


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match='has 1 cells, .* has 2 columns'):
        tables.lay_out([*ROWS, ('alone',)], '<>')
