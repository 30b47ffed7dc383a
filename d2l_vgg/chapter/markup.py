"""The markup of the page, as readers without eyes or mouse need it, too.

d2lbook and Sphinx leave numbers unaligned and pictures without words. Here
each page is gone through once.
"""

import os
import re
from pathlib import Path

from d2l_vgg.files import write_text

# What a cell draws, if its fence does not say it: {.python .input alt="..."}
DRAWN = 'Picture that the cell above draws'
# How a number begins, or what stands for none
NUMBER = re.compile(r'[-+−\d]')
# docutils closes a list of works that it has not opened, and gives each work
# a role that no list of today has
WORK = '<div class="citation"'
WORKS = '<h2 id="references">References</h2>\n<div class="references">\n'
# Where a picture's address ends with #dark, all but pixels is light on dark.
# (Safari ignores dark mode within it, and filters by CSS on a part of it)
DARK = r"""<svg id="dark"\1>
<filter id="again" color-interpolation-filters="sRGB">
<feColorMatrix values="-1 0 0 0 1 0 -1 0 0 1 0 0 -1 0 1 0 0 0 1 0"/></filter>
<style>:target { filter: invert(1) hue-rotate(180deg) }
:target image { filter: url(#again) }</style>"""


def finish(path):
    """Rewrite one page of HTML; return its sections for the search."""
    from bs4 import BeautifulSoup

    text = Path(path).read_text('utf-8')
    text = text.replace(' role="doc-biblioentry"', '')
    text = text.replace(WORK, WORKS + WORK, 1)
    soup = BeautifulSoup(text, 'html.parser')
    for image in soup.select('main img'):
        _picture(soup, image, os.path.dirname(path))
    for span in soup.select('main figure > span[id]'):
        # Links lead to the picture, not below it
        figure = span.parent
        for link in figure.select('.headerlink'):
            link['href'] = '#' + span['id']
        figure['id'] = span.extract()['id']
    for table in soup.select('main table'):
        _table(soup, table)
    for box in soup.select('summary > p, main a.image-reference'):
        box.unwrap()
    write_text(path, str(soup))
    return list(_sections(soup, os.path.relpath(path, '_build/html')))


def _sections(soup, page):
    """Yield address, title and text of each section, without its parts."""
    heads = ['h1', 'h2', 'h3', 'h4']
    for section in soup.select('main section'):
        title = section.find(heads).get_text().rstrip('¶')
        parts = section.find_all(recursive=False)
        own = [p for p in parts if p.name not in ('section', *heads)]
        words = ' '.join(' '.join(p.get_text() for p in own).split())
        yield f'{page}#{section["id"]}', title, words


def _picture(soup, image, folder):
    """Give a picture the words of its file, or of its caption."""
    source = Path(folder, image['src'])
    words = []
    if source.suffix == '.svg':
        text = source.read_text('utf-8')
        if 'id="dark"' not in text:  # Several pages may show it
            write_text(source, re.sub('<svg([^>]*)>', DARK, text, count=1))
        dark = soup.new_tag('source', srcset=image['src'] + '#dark')
        dark['media'] = 'screen and (prefers-color-scheme: dark)'
        image.wrap(soup.new_tag('picture')).insert(0, dark)
        words = re.findall(r'<(?:title|desc)[^>]*>([^<]+)<', text)[:2]
    caption = image.find_parent('figure')
    caption = caption and caption.select_one('.caption-text')
    image['alt'] = (
        '. '.join(' '.join(each.split()) for each in words).replace('..', '.')
        or (caption and caption.get_text())
        or DRAWN
    )


def _table(soup, table):
    """Tell what a table is, and align its numbers at their right."""
    heads = table.select('thead th')
    for head in heads:
        head['scope'] = 'col'
    rows = [row.find_all(['th', 'td']) for row in table.select('tbody tr')]
    for head, *cells in zip(heads, *rows):
        texts = [cell.get_text().strip() for cell in cells]
        if NUMBER.match(next(filter(None, texts), '')):  # Of the first row
            for cell in (head, *cells):
                cell['class'] = [*cell.get('class', []), 'to-right']
    words = ', '.join(head.get_text() for head in heads)
    box = soup.new_tag('div', attrs={'class': 'table', 'role': 'region'})
    box['aria-label'] = 'Table: ' + words
    table.wrap(box)
