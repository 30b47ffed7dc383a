"""Texts that others wrote, made fit to be shown.

A name in somebody's `run.json` can hold line breaks, or the sequences that
color, move or erase what a terminal shows.
"""

import unicodedata


def visible(text):
    r"""Return `text` on one line, with what would not be seen as escapes.

    That is control characters, such as `\x1b` and `\n`, those that turn the
    direction of writing, and halves of characters.
    """
    return ''.join(
        c
        if c.isprintable() or unicodedata.category(c) == 'Zs'
        else c.encode('unicode_escape').decode()
        for c in str(text)
    )
