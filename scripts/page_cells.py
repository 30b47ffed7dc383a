"""The code cells of a page by tab, read without d2lbook.

With them, what the chapter's cells print can be recorded and tested.
"""

import re
from typing import NamedTuple

from d2l_vgg.frameworks import FRAMEWORKS

FENCE = re.compile(r'^```\{\.python \.input(.*?)\}\n(.*?)^```$', re.M | re.S)
TABS = tuple(known.tab for known in FRAMEWORKS.values())


class Cell(NamedTuple):
    """A code cell: its source, and the classes of its fence, as `.long`."""

    source: str
    classes: tuple = ()


def read(path: str, tab: str) -> list[Cell]:
    """Return the cells that a page of d2lbook's markdown has in a tab.

    Raises:
        OSError: the page cannot be read.
        ValueError: there is no such tab, or a cell names none.
    """
    if tab not in TABS:
        raise ValueError(
            f'There is no tab {tab!r}: choose one of {", ".join(TABS)}.'
        )
    with open(path, encoding='utf-8-sig') as file:
        text = file.read()
    cells = []
    for classes, source in FENCE.findall(text):
        first, _, rest = source.partition('\n')
        if first.startswith('%load_ext'):
            continue
        if not first.startswith('%%tab '):
            raise ValueError(f'A cell of {path} names no tab: {first}')
        tabs = [name.strip() for name in first[len('%%tab ') :].split(',')]
        if 'all' in tabs or tab in tabs:
            cells.append(Cell(rest, tuple(re.findall(r'\.(\w+)', classes))))
    return cells
