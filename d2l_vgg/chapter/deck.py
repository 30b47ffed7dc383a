"""Slides of a page: what its text marks, its code and its figures.

d2lbook's marks [**...**] and (**...**) say which phrases a teacher would
show. Each slide has one thought: what a paragraph marks with the cell that
follows, what that cell printed, a figure, a table, or an exercise or its
solution. nbconvert writes them for reveal.js.
"""

import importlib.util
import os
import re
import shutil

from d2l_vgg.chapter import markup, tabs
from d2l_vgg.chapter.marks import IMAGE, SLIDE
from d2l_vgg.chapter.notebooks import is_code
from d2l_vgg.files import write_text

HERE = os.path.dirname(os.path.abspath(__file__))
# A module, a folder of it, and its name beside the slides
LIBRARIES = [
    ('sphinx_revealjs', 'themes/sphinx_revealjs/static/revealjs4', 'reveal'),
    ('sphinx-mathjax-offline', 'static/mathjax', 'mathjax'),
]
# A paragraph, a table or a list, or what is folded
BLOCK = re.compile(r'(?s:<details>.*?</details>)|(?:.+\n?)+')
FOLDED = re.compile(
    r'<details>\s*<summary>(?!Hint)(.*?)</summary>(.*)</details>', re.S
)
# In italics, or a numbered list
TASK = re.compile(r'\*[^*].*[^*]\*$|\d+\. ', re.S)


def copy_libraries():
    """Copy reveal.js, MathJax and our style, which slides load."""
    static = '_build/html/_static'
    for module, inner, name in LIBRARIES:
        (home,) = importlib.util.find_spec(module).submodule_search_locations
        no_maps = shutil.ignore_patterns('*.map')
        source, target = os.path.join(home, inner), f'{static}/{name}'
        shutil.copytree(source, target, ignore=no_maps, dirs_exist_ok=True)
    shutil.copy(os.path.join(HERE, 'slides.css'), static)


def write(notebook, name, tab, project):
    """Write the slides of a page, if its text marks something.

    The notebook is d2lbook's of one tab, with what its cells print.
    """
    import nbformat
    from nbconvert import SlidesExporter
    from traitlets.config import Config

    texts = [cell.source for cell in notebook.cells if not is_code(cell)]
    if not any(map(SLIDE.search, texts)):
        return
    path = f'_build/html/slides/{tab}/{name}.html'
    up = os.path.relpath('_build/html', os.path.dirname(path))
    cells = list(_cells(notebook, name, tab, project.marks, up))
    head = cells[0].source.splitlines()[0].lstrip('# ')
    opening = (
        f'## {head}\n\n{project.config.project["title"]}\n\n'
        f'{tabs.TITLES.get(tab, tab)}\n\n'
        '*C* gives the notebook, *Esc* the overview, *F* the whole screen. '
        f'{notebook.metadata.get("note", "")}'
    )
    exporter = SlidesExporter(
        config=Config(CSSHTMLHeaderPreprocessor={'style': 'xcode'}),
        template_file=os.path.join(HERE, 'slides.html.j2'),
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
        reveal_url_prefix=f'{up}/_static/reveal',
        reveal_theme='white',
    )
    body, _ = exporter.from_notebook_node(
        nbformat.v4.new_notebook(cells=[_text(opening), *cells]),
        {
            'metadata': {'name': f'{re.sub(r"[*`$]", "", head)} ({tab})'},
            'static': f'{up}/_static',
            'notebook': f'{up}/notebooks/{tab}/{name}.ipynb',
            'drawn': markup.DRAWN,
        },
    )
    write_text(path, body)


def _cells(notebook, name, tab, marks, up):
    """Yield the cells of all slides but the first, which text begins."""
    heading, shown = name, []
    folder = os.path.join(up, 'notebooks', tab, os.path.dirname(name))

    def words(text):
        """Return text as a slide shows it, which has no links."""
        text = marks.replace(SLIDE.sub(r'\1', text), name, []).strip()
        return re.sub(r'\[([^\]]+)\]\([^)]+\)', r'\1', text)

    for cell in notebook.cells:
        if is_code(cell):
            yield from _of_code(cell, heading, shown)
            shown = []
            continue
        for block in map(str.strip, BLOCK.findall(cell.source)):
            title, picture = re.match('#+ (.*)', block), IMAGE.match(block)
            folded, table = FOLDED.match(block), block.startswith('|')
            alone = title or picture or folded or table
            if shown and (alone or len(shown) > 2):
                yield _text(f'## {heading}', *shown)
                shown = []
            if title:
                heading = words(title.group(1))
            elif picture:
                caption = ' '.join(picture.group(1).split())
                image = f'![{caption}]({folder}/{picture.group(2)})'
                yield _text(f'## {heading}', image, caption)
            elif folded:
                what, text = folded.groups()
                yield _text(f'## {heading}: {what.lower()}', words(text))
            elif table:
                yield _text(f'## {heading}', words(block))
            elif TASK.match(block):
                shown.append(words(block))
            else:
                # Of a summary, each sentence
                found = SLIDE.findall(block)
                if heading == 'Summary':
                    found = re.split(r'(?<=[.?!])\s+(?=[A-Z])', block)
                for text in (words(text).strip(' .,:;') for text in found):
                    if ' ' in text:  # A word by itself tells nothing
                        shown.append(f'- {text[:1].upper()}{text[1:]}')
    if shown:
        yield _text(f'## {heading}', *shown)


def _of_code(cell, heading, phrases):
    """Yield the slide of a code cell, and those of pictures and long text."""
    from nbformat import v4

    apart, text = [], []
    for output in cell.get('outputs', []):
        texts = cell.source, output.get('text', '')
        long = max(each.count('\n') for each in texts) > 15
        alone = long or 'image/' in ' '.join(output.get('data', {}))
        (apart if alone else text).append(output)
    yield _text(f'## {heading}', *phrases)
    yield v4.new_code_cell(cell.source.strip(), outputs=text)
    for output in apart:
        yield _text(f'## {heading}')
        hidden = {**cell.metadata, 'transient': {'remove_source': True}}
        yield v4.new_code_cell('', outputs=[output], metadata=hidden)


def _text(*blocks):
    import nbformat

    return nbformat.v4.new_markdown_cell(
        '\n\n'.join(blocks), metadata={'slideshow': {'slide_type': 'slide'}}
    )
