"""Lay out rows of text as a table with aligned columns.

Every table that is printed whole is laid out here; what is in its cells is
the business of those who print it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def lay_out(
    rows: Iterable[Sequence[str]],
    align: str,
    *,
    widths: Sequence[int] = (),
    gap: str = '  ',
    rule: bool = False,
    markdown: bool = False,
) -> list[str]:
    """Return the lines of a table, each column as wide as its widest cell.

    Args:
        rows: sequences of equally many texts, the header first if there is
            one.
        align: a letter for each column, '<' for left and '>' for right.
        widths: the least width of each column, none for as little as goes.
        gap: what stands between two columns.
        rule: whether a line of hyphens follows the first row.
        markdown: make a Markdown table, whose first row is its header;
            `gap` and `rule` are then Markdown's own.

    Raises:
        ValueError: a row has more or fewer cells than `align` has letters.
    """
    rows = [list(row) for row in rows]
    for row in rows:
        if len(row) != len(align):
            raise ValueError(
                f'the row {row} has {len(row)} cells, but the table has '
                f'{len(align)} columns'
            )
    widths = [
        max(least, *(len(row[i]) for row in rows), 0)
        for i, least in enumerate(widths or [0] * len(align))
    ]

    def line(cells):
        cells = [
            cell.ljust(width) if side == '<' else cell.rjust(width)
            for cell, side, width in zip(cells, align, widths)
        ]
        if markdown:
            return '| ' + ' | '.join(cells) + ' |'
        return gap.join(cells).rstrip()

    lines = [line(row) for row in rows]
    if markdown:
        sides = [':' if side == '>' else '-' for side in align]
        hyphens = ['-' * (width - 1) for width in widths]
        lines.insert(1, line(map(''.join, zip(hyphens, sides))))
    elif rule:
        lines.insert(1, line('-' * width for width in widths))
    return lines
