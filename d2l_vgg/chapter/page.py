"""The web page of all tabs: Sphinx builds it, and its links are checked."""

import glob
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag, urlsplit

from d2l_vgg.chapter import ChapterError, markup
from d2l_vgg.chapter.notebooks import FOLDED, classes_of
from d2l_vgg.chapter.project import warnings_are_errors

HERE = os.path.dirname(os.path.abspath(__file__))
# Comments, strings and names of both have a contrast of 4.5 on their ground
LIGHT, DARK = 'xcode', 'github-dark'
CONFIG = """
html_theme = 'basic'
html_theme_options = {{}}
html_title = project
html_copy_source = False
html_use_index = False
pygments_style = {light!r}
bibtex_default_style = 'apa'
# In the menu of a formula nobody looks, but each would be a stop for the tab
mathjax3_config = {{'options': {{'enableMenu': False}}}}
# Of `copyright`, Sphinx would take the year for that of the build
html_context = {{
    'tabs': {tabs!r}, 'titles': {titles!r}, 'rights': {rights!r},
    'other_forms': {forms!r}, 'not_run': {not_run!r},
}}
"""


def build_page(project, forms, not_run):
    """Build the page of all tabs in `_build/html`.

    Args:
        project: the Project
        forms: page -> tab -> pairs of a name and an address in
            `_build/html`, where the page is in other forms
        not_run: page -> tab -> what was missing to run its cells

    Raises:
        ChapterError: d2lbook or Sphinx warned.
    """
    builder = project.builder('all')
    # Formulas without a network
    builder.config.build['sphinx_extensions'] += ' sphinx-mathjax-offline'
    builder.config.build['sphinx_configs'] += CONFIG.format(
        light=LIGHT,
        tabs=project.tabs,
        titles=markup.TITLES,
        not_run=not_run,
        forms=forms,
        rights=builder.config.project['copyright'],
    )
    with warnings_are_errors():
        builder.rst()
    rst = builder.config.rst_dir
    name_figures_apart(rst)
    _write_static(project, os.path.join(rst, '_static'))
    templates = os.path.join(rst, '_templates')
    os.makedirs(templates, exist_ok=True)
    shutil.copy(os.path.join(HERE, 'layout.html'), templates)
    sphinx = [sys.executable, '-m', 'sphinx', '-q', '-W', '--keep-going']
    done = subprocess.run(
        [*sphinx, '-b', 'html', '-d', '_build/doctrees', rst]
        + ['_build/html'],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise ChapterError(
            f'Sphinx could not build the page: {done.stdout.strip()}'
        )
    alignments = {}
    for name in project.names:
        with open(name + '.md', encoding='utf-8-sig') as file:
            alignments.update(markup.alignments_in(file.read()))
        source = os.path.join('_build', 'html', 'source', name + '.md')
        os.makedirs(os.path.dirname(source), exist_ok=True)
        shutil.copyfile(name + '.md', source)
    drawn = _drawn(builder, project.names)
    folded = _folded(project)
    for path in glob.glob('_build/html/**/*.html', recursive=True):
        if not path.startswith('_build/html/slides/'):
            markup.finish(path, project.tabs, alignments, drawn, folded)


def _write_static(project, folder):
    """Write the style and the script of the pages.

    d2lbook's own script would load analytics, icons and a forum from other
    hosts: ours takes its place.
    """
    from pygments.formatters import HtmlFormatter

    for name in 'js', 'css':
        parts = [os.path.join(HERE, 'page.' + name)]
        if name == 'js':
            parts += project.static.split()
        text = ''
        for part in parts:
            with open(part, encoding='utf-8-sig') as source:
                text += source.read()
        if name == 'css':
            dark = HtmlFormatter(style=DARK).get_style_defs('.highlight')
            text = (
                '@media screen and (prefers-color-scheme: dark) {\n'
                f'{dark}\n}}\n{text}{markup.style_of_tabs(project.tabs)}'
            )
        path = os.path.join(folder, 'd2l.' + name)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)


def name_figures_apart(rst):
    """Give every figure of a folder of rst files a name of its own.

    Sphinx makes PDFs of them in one folder, by their name alone.
    """
    for path in glob.glob(f'{rst}/**/*.rst', recursive=True):
        with open(path, encoding='utf-8') as file:
            text = file.read()

        def rename(match, path=path):
            source = os.path.join(os.path.dirname(path), match.group(2))
            if not os.path.exists(source):
                return match.group()  # Sphinx will tell
            name = os.path.relpath(source, rst).replace(os.sep, '-')
            copy = os.path.join(os.path.dirname(path), '_figures', name)
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            shutil.copyfile(source, copy)
            return f'{match.group(1)}_figures/{name}'

        new = re.sub(r'^( *\.\. figure:: )(\S+)$', rename, text, flags=re.M)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(new)


def _folded(project):
    """Return the code of the cells that the page shows folded."""
    from d2lbook import notebook

    return {
        cell.source.strip()
        for tab in project.tabs
        for name in project.names
        for cell in getattr(
            notebook.read(project.eval_path(tab, name)), 'cells', []
        )
        if FOLDED in classes_of(cell)
    }


def _drawn(builder, names):
    """Return what the pictures show that cells drew, by their names."""
    from d2lbook import notebook

    found = {}
    for name in names:
        merged = notebook.read(f'{builder.config.eval_dir}/{name}.ipynb')
        for path in glob.glob(f'_build/html/_images/*output_{name}_*'):
            match = re.search(r'_(\d+)_\d+\.\w+$', path)
            cell = merged.cells[int(match.group(1))]
            words = cell.metadata.get('attributes', {}).get('alt')
            if words:
                found[os.path.basename(path)] = words
    return found


def check_links(folder):
    """See that each link and each source of a folder of pages is there.

    Raises:
        ChapterError: one leads nowhere, or a source is on another host.
    """
    pages = {}
    for path in sorted(glob.glob(f'{folder}/**/*.html', recursive=True)):
        pages[os.path.relpath(path, folder)] = _Links(path)
    for name, page in pages.items():
        for link in page.links:
            address, anchor = urldefrag(link)
            if link.startswith('data:'):  # It stands in the page itself
                continue
            if urlsplit(address).scheme or address.startswith('//'):
                if link in page.sources:
                    raise ChapterError(
                        f'{name} asks another host for {link}.'
                    )
                continue
            target = name
            if address:
                target = os.path.join(os.path.dirname(name), unquote(address))
                target = os.path.normpath(target)
            if not os.path.exists(os.path.join(folder, target)):
                raise ChapterError(f'{name} links to {link}, not there.')
            if anchor and target in pages and link not in page.tabs:
                if unquote(anchor) not in pages[target].anchors:
                    raise ChapterError(f'{name} links to {link}, not there.')


class _Links(HTMLParser):
    """The links, sources and anchors of one page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.sources, self.tabs = [], set(), set()
        self.anchors = set()
        with open(path, encoding='utf-8') as file:
            self.feed(file.read())

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.anchors.update(
            attrs[key] for key in ('id', 'name') if attrs.get(key)
        )
        link = (attrs.get('src') or attrs.get('href') or '').strip()
        if not link:
            return
        self.links.append(link)
        if tag != 'a':
            self.sources.add(link)
        if 'onclick' in attrs:
            self.tabs.add(link)
