"""Slides of a page: what its text marks, its code and its figures.

d2lbook's marks [**...**] and (**...**) say which phrases a teacher would
show. Each slide has one thought: what a paragraph marks with the cell that
follows, what that cell printed, or one figure. nbconvert writes them for
reveal.js.
"""

import html
import importlib.util
import os
import re
import shutil

from d2l_vgg.chapter import markup, tabs
from d2l_vgg.chapter.marks import IMAGE, SLIDE
from d2l_vgg.chapter.notebooks import FOLDED, classes_of, is_code
from d2l_vgg.files import write_text

HERE = os.path.dirname(os.path.abspath(__file__))
THEME = 'themes/sphinx_revealjs'
# A module, a folder of it, and its name beside the slides
LIBRARIES = [
    ('sphinx_revealjs', f'{THEME}/static/revealjs4', 'reveal'),
    ('sphinx-mathjax-offline', 'static/mathjax', 'mathjax'),
]


def copy_libraries(static):
    """Copy reveal.js, MathJax and our style to `static`."""
    for module, inner, name in LIBRARIES:
        (home,) = importlib.util.find_spec(module).submodule_search_locations
        no_maps = shutil.ignore_patterns('*.map')
        source, target = os.path.join(home, inner), f'{static}/{name}'
        shutil.copytree(source, target, ignore=no_maps, dirs_exist_ok=True)
    shutil.copy(os.path.join(HERE, 'slides.css'), static)


def path_of(tab, name):
    """Return where the slides of a page are, if its text marks something."""
    return f'_build/html/slides/{tab}/{name}.html'


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
    path = path_of(tab, name)
    up = os.path.relpath('_build/html', os.path.dirname(path))
    cells = list(_cells(notebook, name, tab, project.marks, up))
    head = cells[0].source.splitlines()[0].lstrip('# ')
    opening = (
        f'## {head}\n\n{project.config.project["title"]}\n\n'
        f'{tabs.TITLES.get(tab, tab)}\n\n'
        '*C* opens the notebook, *Esc* the overview, *F* the whole screen.'
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
    heading, phrases = name, []
    inner = os.path.dirname(name)
    for cell in notebook.cells:
        if is_code(cell):
            if FOLDED not in classes_of(cell):
                yield from _of_code(cell, heading, phrases)
                phrases = []
            continue
        for block in re.split(r'\n\s*\n', cell.source):
            title = re.match(r'#+ (.*)', block.strip())
            picture = IMAGE.match(block.strip())
            if phrases and (title or picture or len(phrases) > 2):
                yield _text(f'## {heading}', *phrases)
                phrases = []
            if title:
                heading = SLIDE.sub(r'\1', title.group(1)).strip()
            elif picture:
                caption, source = picture.group(1, 2)
                address = os.path.join(up, 'notebooks', tab, inner, source)
                words = html.escape(' '.join(caption.split()))
                image = f'<img src="{address}" alt="{words}">'
                yield _text(f'## {heading}', image, caption)
            else:
                phrases += _phrases(block, name, marks)
    if phrases:
        yield _text(f'## {heading}', *phrases)


def _phrases(block, name, marks):
    for phrase in SLIDE.findall(block):
        text = ' '.join(marks.replace(phrase, name, []).split())
        text = re.sub(r'\[([^\]]+)\]\([^)]+\)', r'\1', text).strip(' .,:;')
        if ' ' in text:  # A word by itself tells nothing
            yield f'- {text[:1].upper()}{text[1:]}'


def _of_code(cell, heading, phrases):
    """Yield the cells of a code cell's slide, and of one of each picture."""
    from nbformat import v4

    pictures, text = [], []
    for output in cell.get('outputs', []):
        kinds = ' '.join(output.get('data', {}))
        (pictures if 'image/' in kinds else text).append(output)
    yield _text(f'## {heading}', *phrases)
    yield v4.new_code_cell(cell.source.strip(), outputs=text)
    for picture in pictures:
        yield _text(f'## {heading}')
        hidden = {**cell.metadata, 'transient': {'remove_source': True}}
        yield v4.new_code_cell('', outputs=[picture], metadata=hidden)


def _text(*blocks):
    import nbformat

    return nbformat.v4.new_markdown_cell(
        '\n\n'.join(blocks), metadata={'slideshow': {'slide_type': 'slide'}}
    )
