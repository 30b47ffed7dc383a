"""Texts in pictures: any text can be drawn, and none leaves its room.

matplotlib by itself reads what stands between two dollar signs as a formula,
knows one font, and cuts off what is too long.
"""

import contextlib
import textwrap

import numpy as np
from matplotlib import font_manager, rc_context, rcParams
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from d2l_vgg.foreign_text import visible

NOTE_COLOR = '#B00020'
# Of a legend or a note, in inches
LINE_HEIGHT = 0.21
# Fonts of systems that have what matplotlib's own lacks
FALLBACKS = ['Noto Sans CJK SC', 'Noto Sans CJK JP', 'WenQuanYi Zen Hei',
             'PingFang SC', 'Microsoft YaHei', 'Arial Unicode MS',
             'Noto Sans']  # fmt: skip


@contextlib.contextmanager
def any_text():
    """Draw texts as they are, each letter in the first font that has it."""
    plain = {'text.parse_math': False, 'text.usetex': False}
    with rc_context({**plain, 'font.family': _families()}):
        yield


def _families():
    installed = font_manager.get_font_names()
    found = [name for name in FALLBACKS if name in installed]
    return list(dict.fromkeys([*rcParams['font.family'], *found]))


def drawable(text):
    """Return `text` on one line, of characters that some font can draw.

    All others become escapes, such as `\\u6df1`.
    """
    paths = (
        font_manager.findfont(FontProperties(family=[name]))
        for name in _families()
    )
    fonts = [font_manager.get_font(path) for path in paths]
    return ''.join(
        c
        if any(font.get_char_index(ord(c)) for font in fonts)
        else c.encode('unicode_escape').decode()
        for c in visible(text)
    )


def fitted(text, room, num_lines=1, **font):
    """Return `text` made to stand within `room` inches in a font.

    Where it is allowed more lines than one, a line break in `text` begins a
    new one, and a line that is too long goes on in the next. What is longer
    yet loses its middle. `font` are properties, such as `size`.
    """
    lines = [text] if num_lines == 1 else str(text).splitlines()
    lines = [drawable(line) for line in lines]
    count = max(map(len, lines), default=0)
    while True:
        broken = _broken(lines, count, num_lines)
        width = max((_width(line, font) for line in broken), default=0)
        if width <= room or count <= 2:
            return '\n'.join(broken)
        count = max(2, min(count - 1, int(count * room / width)))


def _broken(lines, count, num_lines):
    """Return at most `num_lines` lines of at most `count` characters."""
    if num_lines > 1:
        lines = [
            part
            for line in lines
            for part in textwrap.wrap(line, count, break_on_hyphens=False)
        ]
    rest = ' '.join(lines[num_lines - 1 :])
    if len(rest) > count:
        # Names often differ in their last characters
        end = count // 2
        rest = rest[: count - end] + '…' + rest[-end:]
    return [*lines[: num_lines - 1], *([rest] if rest else [])]


def _width(line, font):
    """Return how wide a line of text is, in inches."""
    measure = text_to_path.get_text_width_height_descent
    return measure(line, FontProperties(**font), ismath=False)[0] / 72


def add_note(figure, note):
    """Write the whole of a note above; return the inches that it takes."""
    if not note:
        return 0
    font = {'size': 'medium', 'weight': 'bold'}
    note = fitted(note, 0.98 * figure.get_figwidth(), num_lines=99, **font)
    figure.suptitle(note, **font, color=NOTE_COLOR)
    return len(note.splitlines()) * LINE_HEIGHT


def add_legend(owner, handles, labels, room, ncols=None, **options):
    """Give a figure or axes a legend that is at most `room` inches wide.

    It has as many columns as have room, if `ncols` is not given; labels that
    are too long for one lose their middle. Returns how many rows it has.
    """
    font = {'size': rcParams['legend.fontsize']}
    # What a label has beside it is measured in letters
    letter = FontProperties(**font).get_size_in_points() / 72
    beside = letter * (2.8 + options.get('handlelength', 2))
    labels = [fitted(text, room - beside, **font) for text in labels]
    widths = [_width(text, font) + beside for text in labels]
    # Columns are filled evenly
    ncols = ncols or max(
        n
        for n in range(1, len(labels) + 1)
        if n == 1 or sum(map(max, np.array_split(widths, n))) < room
    )
    # A label in `legend` is dropped in some versions if it begins with `_`
    numbers = list(map(str, range(len(labels))))
    legend = owner.legend(
        handles, numbers, ncols=ncols, frameon=False, **options
    )
    for artist, label in zip(legend.get_texts(), labels):
        artist.set_text(label)
    return -(-len(labels) // ncols)
