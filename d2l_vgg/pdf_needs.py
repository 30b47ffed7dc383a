"""The programs that make a PDF, and the packages of Debian that have them."""

import shutil

PROGRAMS = {
    'xelatex': 'texlive-xetex texlive-latex-recommended '
    'texlive-latex-extra texlive-fonts-recommended fonts-freefont-otf',
    'latexmk': 'latexmk',
    'rsvg-convert': 'librsvg2-bin',
}


def missing():
    """Return the programs that are not on the path."""
    return [name for name in PROGRAMS if not shutil.which(name)]


def how_to_install(programs):
    """Return the command that installs programs on Debian or Ubuntu."""
    packages = ' '.join(PROGRAMS[name] for name in programs)
    return f'apt install {packages}'
