"""Slides of a page: what its text marks, its code and its figures.

d2lbook's marks [**...**] and (**...**) say which phrases a teacher would
show. Each slide has one thought: what a paragraph marks with the cell that
follows, what that cell printed, or one figure. reveal.js shows them.
"""

import base64
import glob
import html
import importlib.util
import os
import re
import shutil
from typing import NamedTuple

from d2l_vgg.chapter import ChapterError, markup
from d2l_vgg.chapter.notebooks import FOLDED, LONG, classes_of, is_code

HERE = os.path.dirname(os.path.abspath(__file__))
FRAME = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="{static}/reveal/dist/reset.css">
<link rel="stylesheet" href="{static}/reveal/dist/reveal.css">
<link rel="stylesheet" href="{static}/reveal/dist/theme/white.css">
<link rel="stylesheet" href="{static}/slides.css">
<link rel="alternate" href="{notebook}" type="application/x-ipynb+json">
<script>MathJax = {{options: {{enableMenu: false}}}};</script>
<script defer src="{static}/mathjax/tex-chtml.js"></script>
</head>
<body>
<div class="reveal"><div class="slides">
{slides}
</div></div>
<script src="{static}/reveal/dist/reveal.js"></script>
<script>
Reveal.initialize({{
  width: 1280, height: 720, margin: 0.04, hash: true, slideNumber: 'c/t',
  transition: 'none', center: false,
  keyboard: {{67: () => {{ location = '{notebook}'; }}}},
}});
</script>
</body>
</html>
"""
# How many lines and letters a slide has room for
LINES, LETTERS = 18, 80


def copy_libraries(static):
    """Copy reveal.js, MathJax and our style to `static`.

    Raises:
        ChapterError: one of them is not installed.
    """
    from pygments.formatters import HtmlFormatter

    for module, inner, name in [
        ('sphinx_revealjs', '**/revealjs4', 'reveal'),
        ('sphinx-mathjax-offline', 'static/mathjax', 'mathjax'),
    ]:
        spec = importlib.util.find_spec(module)
        if spec is None:
            raise ChapterError(
                f'{module} is not installed: run `pip install -e .[book]`.'
            )
        (home,) = spec.submodule_search_locations
        (found,) = glob.glob(os.path.join(home, inner), recursive=True)
        target = os.path.join(static, name)
        if not os.path.exists(target):
            shutil.copytree(
                found, target, ignore=shutil.ignore_patterns('*.map')
            )
    with open(os.path.join(HERE, 'slides.css'), encoding='utf-8') as file:
        style = file.read()
    with open(
        os.path.join(static, 'slides.css'), 'w', encoding='utf-8'
    ) as file:
        rules = HtmlFormatter(style='xcode').get_style_defs('.highlight')
        file.write(f'{rules}\n{style}')


def write(notebook, name, tab, project):
    """Write the slides of a page, if its text marks something.

    Args:
        notebook: of one tab, as d2lbook makes it, with what its cells print
        name: the page
        tab: whose notebook it is
        project: the Project

    Returns:
        The path of the slides, or None.
    """
    import pypandoc

    slides = list(_slides(notebook, name, tab, project.marks))
    if not any(kind.startswith('phrases') for kind, _, _ in slides):
        return None
    head = next(text for _, text, _ in slides)
    text = (
        f'## {head} {{.opening}}\n\n{project.title}\n\n'
        f'{markup.TITLES.get(tab, tab)}\n\n'
        '*C* opens the notebook, *Esc* the overview, *F* the whole screen.\n'
    )
    for kind, heading, body in slides:
        classes = ' '.join('.' + each for each in kind.split())
        text += f'\n\n## {heading} {{{classes}}}\n\n{body}\n'
    body = pypandoc.convert_text(
        text,
        'revealjs',
        format='markdown-implicit_figures',
        extra_args=['--slide-level=2', '--mathjax', '--wrap=none'],
    )
    path = os.path.join('_build', 'html', 'slides', tab, name + '.html')
    os.makedirs(os.path.dirname(path), exist_ok=True)
    up = os.path.relpath('_build/html', os.path.dirname(path))
    with open(path, 'w', encoding='utf-8') as file:
        file.write(
            FRAME.format(
                title=html.escape(f'{_plain(head)} ({tab})'),
                static=f'{up}/_static',
                notebook=f'{up}/notebooks/{tab}/{name}.ipynb',
                slides=body,
            )
        )
    return path


def _slides(notebook, name, tab, marks):
    """Yield kind, heading and markdown of each slide but the first."""
    heading, pending = name, []
    where = os.path.join('_build', 'notebooks', tab, os.path.dirname(name))
    slides = os.path.join('_build/html/slides', tab, os.path.dirname(name))
    up = os.path.relpath(where.replace('_build', '_build/html', 1), slides)
    for cell in notebook.cells:
        if is_code(cell):
            if FOLDED not in classes_of(cell):
                yield from _of_cell(cell, heading, pending)
                pending = []
            continue
        for block in re.split(r'\n\s*\n', cell.source):
            title = re.match(r'#+ (.*)', block.strip())
            picture = marks.IMAGE.match(block.strip())
            if title or picture or len(pending) > 2:
                if pending:
                    yield 'phrases', heading, '\n'.join(pending)
                pending = []
            if title:
                heading = re.sub(
                    r'[\[(]\*\*|\*\*[\])]', '', title.group(1)
                ).strip()
            elif picture:
                yield 'figure', heading, _figure(picture, where, up)
            else:
                pending += _phrases(block, name, marks)
    if pending:
        yield 'phrases', heading, '\n'.join(pending)


def _phrases(block, name, marks):
    found = re.findall(r'[\[(]\*\*(.+?)\*\*[\])](?!\()', block, flags=re.S)
    phrases = []
    for phrase in found:
        text = ' '.join(marks.replace(phrase, name, []).split())
        text = re.sub(r'\[([^\]]+)\]\([^)]+\)', r'\1', text).strip(' .,:;')
        if ' ' not in text:
            continue  # A word by itself tells nothing
        phrases.append(f'- {text[:1].upper()}{text[1:]}')
    return phrases


def _figure(picture, where, up):
    caption, source = ' '.join(picture.group(1).split()), picture.group(2)
    words = caption
    path = os.path.join(where, source)
    if source.endswith('.svg') and os.path.exists(path):
        words = markup.words_of(path) or caption
    return (
        _raw(f'<img src="{up}/{source}" alt="{html.escape(words)}">')
        + f'\n\n{caption}'
    )


def _of_cell(cell, heading, phrases):
    """Yield the slides of a cell: its code, and what it printed.

    What the text before it marks stands above the code.
    """
    code = cell.source.strip()
    lines = len(code.splitlines()) + 2 * len(phrases)
    printed = [] if LONG in classes_of(cell) else _printed(cell)
    together = (
        len(printed) == 1
        and printed[0].lines is not None
        and lines + printed[0].lines < LINES
    )
    body = '\n'.join(phrases) + '\n\n' + _raw(_coloured(code, phrases))
    if together:
        body += '\n\n' + _raw(printed[0].html)
    kind = 'phrases code' if phrases else 'code'
    yield kind, heading, body
    if not together:
        for output in printed:
            yield 'printed', heading, _raw(output.html)


def _coloured(code, phrases):
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    shown = highlight(code, PythonLexer(), HtmlFormatter(nowrap=True))
    size = _size(code, 2 * len(phrases))
    return (
        f'<div class="highlight"><pre style="font-size: {size}px">'
        f'{shown}</pre></div>'
    )


class Printed(NamedTuple):
    """What a cell printed, as HTML; `lines` of text, None of a picture."""

    html: str
    lines: int | None


def _printed(cell):
    """Return what a cell printed, first its text."""
    found, text = [], ''
    for output in cell.get('outputs', []):
        data = output.get('data', {})
        content = None
        if 'image/svg+xml' in data:
            kind, content = 'svg+xml', _in_base64(data['image/svg+xml'])
        elif 'image/png' in data:
            kind, content = 'png', ''.join(data['image/png'].split())
        if content:
            words = cell.metadata.get('attributes', {}).get('alt')
            words = html.escape(words or markup.DRAWN)
            source = f'data:image/{kind};base64,{content}'
            found.append(Printed(f'<img src="{source}" alt="{words}">', None))
        else:
            text += output.get('text') or data.get('text/plain', '')
    text = re.sub(r'\x1b\[[\d;]*[mK]', '', text).strip('\n')
    if text.strip():
        shown = (
            f'<pre class="output" style="font-size: {_size(text)}px">'
            f'{html.escape(text)}</pre>'
        )
        found.insert(0, Printed(shown, len(text.splitlines())))
    return found


def _in_base64(svg):
    text = ''.join(svg) if isinstance(svg, list) else svg
    return base64.b64encode(text.encode()).decode()


def _size(text, above=0):
    """Return the size of letters, in pixels, that lets `text` fit."""
    lines = text.splitlines() or ['']
    by_height = 24 * LINES / max(LINES, len(lines) + above)
    by_width = 24 * LETTERS / max(LETTERS, *map(len, lines))
    return round(min(by_height, by_width), 1)


def _raw(text):
    # An empty line would end the block
    return '```{=html}\n' + text + '\n```'


def _plain(text):
    return re.sub(r'[*`$\\]', '', text)
