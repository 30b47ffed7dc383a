"""Figures on the disk or below a cell, whose bytes are always the same."""

import functools
import io
import os
import re

import matplotlib

from d2l_vgg.figures.lettering import any_text
from d2l_vgg.files import write_whole
from d2l_vgg.foreign_text import visible

ENDINGS = ('.svg', '.png')


def names(path):
    """Return the names of the files that a picture at `path` has.

    With one of `ENDINGS` it is that file, without any it is one of each; `~`
    is the user's folder.

    Raises ValueError where no such file can be.
    """
    path = os.path.expanduser(os.fspath(path))
    ending = os.path.splitext(path)[1]
    found = [path]
    if ending.lower() not in ENDINGS:
        if re.match(r'\.[A-Za-z]', ending):  # Not as in `lr0.05`
            raise ValueError(
                f'{path} ends in {ending}, but a picture is written as .png '
                'or .svg: take one of these, or no ending for both.'
            )
        found = [path + ending for ending in ENDINGS]
    for name in path, *found:
        if not os.path.basename(path) or os.path.isdir(name):
            raise ValueError(
                f'A picture cannot be written to {name!r}, which is a '
                f'folder: name a file, such as '
                f'{os.path.join(name, "curves.png")}.'
            )
    return found


def save(figure, path):
    """Write a figure to the files that `names` tells of; return those.

    The same figure gives the same bytes at any time. Raises ValueError as
    `names`, and OSError when a file cannot be written; what was there before
    is then unchanged.
    """
    paths = names(path)
    for name in paths:
        kind = name.lower()[-3:]
        write_whole(name, functools.partial(_write, figure, kind))
    return paths


@any_text()
def _write(figure, kind, file):
    """Write a figure, whose label is for those who cannot see it."""
    options = {'dpi': 200}
    if kind == 'svg':
        words = visible(figure.get_label())
        title = {'Title': words} if words else {}
        options = {'metadata': {'Date': None, **title}}
    # By default matplotlib draws the identifiers by chance
    with matplotlib.rc_context({'svg.hashsalt': 'd2l_vgg'}):
        figure.savefig(file, format=kind, **options)


def show(figure):
    """Show a figure below the cell of a notebook.

    Elsewhere, a line of text tells of it.
    """
    from IPython import display

    file = io.BytesIO()
    _write(figure, 'svg', file)
    display.display(display.SVG(file.getvalue().decode()))
