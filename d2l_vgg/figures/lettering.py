"""Texts in pictures: any text can be drawn, and none leaves its room.

matplotlib by itself reads what stands between two dollar signs as a formula,
knows one font, and cuts off what is too long.
"""

import functools
import textwrap

import numpy as np
from matplotlib import font_manager, rc_context, rcParams
from matplotlib.figure import Figure
from matplotlib.text import Text

from d2l_vgg.foreign_text import visible

NOTE_COLOR = '#B00020'
# Of a legend or a heading, in inches
LINE_HEIGHT = 0.21
# Those of an SVG and of a PNG: letters are as wide as some whole pixels
DPIS = (72, 200)
_PAGES = [Figure(dpi=dpi) for dpi in DPIS]
# Fonts of systems that have what matplotlib's own lacks
FALLBACKS = ['Noto Sans CJK SC', 'Noto Sans CJK JP', 'WenQuanYi Zen Hei',
             'PingFang SC', 'Microsoft YaHei', 'Arial Unicode MS',
             'Noto Sans']  # fmt: skip


def any_text(draw):
    """Let a function draw texts as they are, in the first font that can."""

    @functools.wraps(draw)
    def drawn(*args, **kwargs):
        fonts = {'text.parse_math': False, 'font.family': _families()}
        with rc_context(fonts):
            return draw(*args, **kwargs)

    return drawn


def _families():
    installed = font_manager.get_font_names()
    found = [name for name in FALLBACKS if name in installed]
    return list(dict.fromkeys([*rcParams['font.family'], *found]))


def drawable(text):
    """Return `text` on one line, of characters that some font can draw.

    All others become escapes, such as `\\u6df1`.
    """
    fonts = [
        font_manager.get_font(
            font_manager.findfont(
                font_manager.FontProperties(family=[family])
            )
        )
        for family in _families()
    ]
    return ''.join(
        c
        if any(font.get_char_index(ord(c)) for font in fonts)
        else c.encode('unicode_escape').decode()
        for c in visible(text)
    )


def fit(artist, text, room, num_lines=1):
    """Let `artist`, a Text of a figure, show `text` within `room` inches.

    Where it is allowed more lines than one, a line break in `text` begins a
    new one, and a line that is too long goes on in the next. What is longer
    yet loses its middle.
    """
    lines = [text] if num_lines == 1 else str(text).splitlines()
    lines = [drawable(line) for line in lines]
    count = max(map(len, lines), default=0)
    while True:
        artist.set_text('\n'.join(_broken(lines, count, num_lines)))
        width = _width(artist)
        if width <= room or count <= 2:
            return
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


def _width(artist):
    """Return how wide a text is in either file, in inches."""
    widths = []
    for page in _PAGES:
        # One that was measured keeps the measures of its first renderer
        same = Text(text=artist.get_text())
        same.set_fontproperties(artist.get_fontproperties())
        same.set_figure(page)
        widths.append(same.get_window_extent().width / page.dpi)
    return max(widths)


def fitted(figure, text, room, **properties):
    """Return what `fit` makes of a text of these properties, and its width.

    Both widths are in inches.
    """
    artist = figure.text(0, 0, '', **properties)
    fit(artist, text, room)
    artist.remove()
    return artist.get_text(), _width(artist)


def add_heading(figure, title, note):
    """Write the title, and below it the note, which turns both red.

    Returns the height in inches that the figure needs for them.
    """
    if not title and not note:
        return 0
    properties = {'color': NOTE_COLOR, 'weight': 'bold'} if note else {}
    heading = figure.suptitle('', fontsize='medium', **properties)
    lines = []
    # A long title loses its middle, a note is shown whole
    for text, num_lines in ((title or '', 3), (note or '', 99)):
        fit(heading, text, 0.98 * figure.get_figwidth(), num_lines)
        lines += heading.get_text().splitlines()
    heading.set_text('\n'.join(lines))
    return len(lines) * LINE_HEIGHT


def _columns_width(widths, ncols):
    """Return how wide labels are in columns, which are filled evenly."""
    return sum(map(max, np.array_split(widths, ncols)))


def add_legend(owner, handles, labels, room, ncols=None, **options):
    """Give a figure or axes a legend that is at most `room` inches wide.

    It has as many columns as have room, if `ncols` is not given; labels that
    are too long for one lose their middle. Returns how many rows it has.
    """
    size = rcParams['legend.fontsize']
    letter = font_manager.FontProperties(size=size).get_size_in_points()
    # What a label has beside it is measured in letters
    beside = letter / 72 * (2.8 + options.get('handlelength', 2))
    labels, widths = zip(
        *(
            fitted(owner.figure, text, room - beside, size=size)
            for text in labels
        )
    )
    ncols = ncols or max(
        n
        for n in range(1, len(labels) + 1)
        if n == 1 or n * beside + _columns_width(widths, n) < room
    )
    # A label in `legend` is dropped in some versions if it begins with `_`
    numbers = list(map(str, range(len(labels))))
    legend = owner.legend(
        handles, numbers, ncols=ncols, frameon=False, **options
    )
    for artist, label in zip(legend.get_texts(), labels):
        artist.set_text(label)
    return -(-len(labels) // ncols)
