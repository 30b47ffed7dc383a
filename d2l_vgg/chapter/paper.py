"""The pages of a PDF: what LaTeX is told beside what d2lbook tells it."""

import glob
import os
import re

from d2l_vgg.chapter import markup

CONFIG = r"""
latex_elements['extraclassoptions'] = 'openany,oneside'
# Sphinx writes authors and years itself; natbib only gets labels
latex_elements['preamble'] += r'\setcitestyle{numbers}'
# Unlike \needspace, it makes no break more likely where there is room
latex_elements['preamble'] += r'''
\def\keepwhole#1{\par\ifdim\dimexpr\pagegoal-\pagetotal<#1\newpage\fi}
'''
bibtex_default_style = 'apa'
# What cells print is no code
highlight_language = 'none'
"""
# A page has room for more lines of code, but text comes before them
LINES = 40
SUMMARY = re.compile(
    r'\.\. raw:: html\n\n +<summary>\n\n(.+?)\n\n'
    r'\.\. raw:: html\n\n +</summary>\n',
    re.S,
)
# It stays with what it heads
HEADING = r"""**\1**

.. raw:: latex

   \\nopagebreak
"""
BLOCK = r':.*\n(?:(?: .*)?\n)+'
# A cell, with what it printed
CELL = re.compile(
    rf'^\.\. code:{BLOCK}(?:\.\. raw:: latex\n\n +\\diilbookstyleoutputcell'
    rf'\n\n\.\. parsed-literal:{BLOCK})?',
    re.M,
)
# Both forms of a table: with lines between its rows, and with three in all
TABLE = re.compile(
    r'^(?:\+-.*\n(?:[+|].*\n)+|(=[= ]*)\n(?:.+\n)+?\1\n(?:.+\n)+?\1\n)', re.M
)


def prepare(rst):
    """Make the rst files of a folder what LaTeX needs for a good page."""
    for path in glob.glob(f'{rst}/**/*.rst', recursive=True):
        with open(path, encoding='utf-8') as file:
            text = file.read()
        markdown = os.path.relpath(path, rst)[: -len('.rst')] + '.md'
        if os.path.exists(markdown):
            with open(markdown, encoding='utf-8-sig') as file:
                text = _align(text, file.read())
        # Nothing is folded on paper
        text = SUMMARY.sub(HEADING, text)
        text = CELL.sub(_keep_whole, text)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)


def _keep_whole(match):
    """Begin a new page where a cell would not fit on this one."""
    code = match.group().partition('.. raw::')[0]
    # What the cell printed may stand on the next page if it is long
    for part in match.group(), code:
        # Each of its boxes has a border
        boxes = len(re.findall('^.. (?:code|parsed)', part, re.M))
        lines = len(re.findall('^ {4}', part, re.M)) + 2 * boxes
        if lines <= LINES:
            # Code has smaller letters than text
            space = rf'\keepwhole{{{0.85 * lines:.0f}\baselineskip}}'
            return f'.. raw:: latex\n\n   {space}\n\n{match.group()}'
    return match.group()


def _align(text, markdown):
    """Align the columns of tables as in markdown, which d2lbook forgets."""
    known = list(markup.alignments_in(markdown).values())
    if len(TABLE.findall(text)) != len(known):
        return text  # Of two tables with the same head one is known

    def align(match):
        letters = ''.join((column or 'left')[0] for column in known.pop(0))
        return f'.. tabularcolumns:: {letters}\n\n{match.group()}'

    return TABLE.sub(align, text)
