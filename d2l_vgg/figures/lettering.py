"""Texts in pictures: any text can be drawn, and none leaves its room.

matplotlib by itself reads what stands between two dollar signs as a formula,
warns of characters that its font lacks, and cuts off what is too long.
"""

import functools

import numpy as np
from matplotlib import font_manager, rcParams
from matplotlib.figure import Figure
from matplotlib.text import Text

from d2l_vgg.foreign_text import visible

NOTE_COLOR = '#B00020'

# Of a legend or a heading, in inches
LINE_HEIGHT = 0.21

# Those of an SVG and of a PNG: letters are as wide as some whole pixels
DPIS = (72, 200)

# matplotlib's fonts for formulas and for characters that no font has; what
# they draw is not what others mean by a character
_ODD_FONTS = ('cm', 'STIX', 'Last Resort')


def drawable(text):
    """Return `text` on one line, of characters that some font can draw.

    All others become escapes, such as `\\u6df1`.
    """
    return ''.join(
        c if _family(c) is not None else c.encode('unicode_escape').decode()
        for c in visible(text)
    )


def style(*texts):
    """Return how matplotlib must be asked to write these drawable texts."""
    families = dict.fromkeys(map(_family, ''.join(texts)))
    usual = font_manager.FontProperties().get_family()
    return {
        'family': [*usual, *(name for name in families if name)],
        'parse_math': False,
    }


def fit(artist, text, room, num_lines=1):
    """Let `artist`, a Text of a figure, show `text` within `room` inches.

    Where it is allowed more lines than one, a line break in `text` begins a
    new one, and a line that is too long goes on in the next. What is longer
    yet loses its middle.
    """
    lines = [text] if num_lines == 1 else str(text).splitlines()
    lines = [drawable(line) for line in lines]
    artist.update(style(*lines))

    def fits(line):
        artist.set_text(line)
        return _width(artist) <= room

    broken = []
    for line in lines:
        while len(broken) < num_lines - 1 and not fits(line):
            head, line = _break(line, fits)
            broken.append(head)
        broken.append(line)
    shown = broken[: num_lines - 1]
    # The last line has all that there was no more line for
    shown.append(_shorten(' '.join(broken[num_lines - 1 :]), fits))
    artist.set_text('\n'.join(filter(None, shown)))


def fitted(figure, text, room, **properties):
    """Return what `fit` makes of a text of these properties, and its width.

    Both widths are in inches.
    """
    artist = figure.text(0, 0, '', **properties)
    fit(artist, text, room)
    width = _width(artist)
    artist.remove()
    return artist.get_text(), width


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
    for text, num_lines in ((title, 3), (note, 99)):
        if text:
            fit(heading, text, 0.98 * figure.get_figwidth(), num_lines)
            lines += heading.get_text().splitlines()
    heading.update(style(*lines))
    heading.set_text('\n'.join(lines))
    return len(lines) * LINE_HEIGHT


def add_legend(owner, handles, labels, room, ncols=None, **options):
    """Give a figure or axes a legend that is at most `room` inches wide.

    It has as many columns as have room, if `ncols` is not given; labels that
    are too long for one lose their middle. Returns how many rows it has.
    """
    figure = owner.figure
    size = rcParams['legend.fontsize']
    letter = font_manager.FontProperties(size=size).get_size_in_points()
    # What a label has beside it is measured in letters
    beside = letter / 72 * (2.8 + options.get('handlelength', 2))
    labels, widths = zip(
        *(fitted(figure, text, room - beside, size=size) for text in labels)
    )
    if ncols is None:
        ncols = 1 + _largest(
            len(labels),
            lambda n: _columns_width(widths, n + 1, beside) < room,
        )
    # A label in `legend` is dropped in some versions if it begins with `_`
    numbers = list(map(str, range(len(labels))))
    legend = owner.legend(
        handles, numbers, ncols=ncols, frameon=False, **options
    )
    for artist, label in zip(legend.get_texts(), labels):
        artist.update(style(label))
        artist.set_text(label)
    return -(-len(labels) // ncols)


def _width(artist):
    """Return how wide a text is in either file, in inches."""
    widths = []
    for dpi in DPIS:
        # One that was measured keeps the measures of its first renderer
        same = Text(text=artist.get_text(), parse_math=False)
        same.set_fontproperties(artist.get_fontproperties())
        same.set_figure(_page(dpi))
        widths.append(same.get_window_extent().width / dpi)
    return max(widths)


@functools.cache
def _page(dpi):
    """Return an empty figure, for measuring."""
    return Figure(dpi=dpi)


def _columns_width(widths, ncols, beside):
    """Return how wide a legend is, whose columns matplotlib fills evenly."""
    columns = np.array_split(widths, ncols)
    return sum(max(column) + beside for column in columns)


def _break(line, fits):
    """Return as many words of a line as fit, and the rest of it."""
    words = line.split(' ')
    count = _largest(len(words), lambda n: fits(' '.join(words[:n])))
    if count:
        return ' '.join(words[:count]), ' '.join(words[count:])
    count = max(1, _largest(len(line), lambda n: fits(line[:n])))
    return line[:count], line[count:]


def _shorten(line, fits):
    """Return a line that fits, without its middle where it must be."""
    if fits(line):
        return line

    def without_middle(kept):
        # Names often differ in their last characters
        end = kept // 2
        return line[: kept - end] + '…' + line[len(line) - end :]

    kept = _largest(len(line), lambda n: fits(without_middle(n)))
    return without_middle(kept)


def _largest(limit, holds):
    """Return the largest number below `limit` up to which `holds` is true."""
    low, high = 0, limit
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def _family(character):
    """Return the family of fonts that has a character.

    It is '' for the one that everything is written in, and None where no
    font has it.
    """
    usual = font_manager.findfont(font_manager.FontProperties())
    return '' if _has(usual, character) else _other_family(character)


@functools.cache
def _other_family(character):
    for font in sorted(font_manager.fontManager.ttflist, key=_oddity):
        if not font.name.startswith(_ODD_FONTS):
            if _has(font.fname, character):
                return font.name
    return None


def _oddity(font):
    """Order fonts: those for plain text first, and always alike."""
    plain = font.style == 'normal' and font.weight in (400, 'normal')
    return not plain, font.name


@functools.cache
def _has(path, character):
    try:
        font = font_manager.get_font(path)
        return font.get_char_index(ord(character)) != 0
    except (OSError, RuntimeError):  # A file that is damaged or has gone
        return False
