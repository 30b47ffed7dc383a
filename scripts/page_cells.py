"""The code cells of a page by tab, read without d2lbook.

With them, what the chapter's cells print can be recorded and tested.
"""

import re
from pathlib import Path

from d2l_vgg.frameworks import FRAMEWORKS

FENCE = re.compile(r'^```\{\.python \.input.*?\}\n(.*?)^```$', re.M | re.S)
TABS = tuple(known.tab for known in FRAMEWORKS.values())


def read(path: str, tab: str) -> list[str]:
    """Return the code cells that a page of d2lbook's markdown has in a tab.

    Raises:
        OSError: the page cannot be read.
        ValueError: a cell names no tab.
    """
    cells = []
    for source in FENCE.findall(Path(path).read_text('utf-8-sig')):
        first, _, rest = source.partition('\n')
        if first.startswith('%load_ext'):
            continue
        if not first.startswith('%%tab '):
            raise ValueError(f'A cell of {path} names no tab: {first}')
        tabs = re.findall(r'\w+', first[len('%%tab ') :])
        if 'all' in tabs or tab in tabs:
            cells.append(rest)
    return cells
