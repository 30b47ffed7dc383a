"""The web page of all tabs: Sphinx builds it, and its links are checked."""

import glob
import os
import subprocess
import sys
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag, urlsplit

from d2l_vgg.chapter import ChapterError
from d2l_vgg.chapter.project import warnings_are_errors

HERE = os.path.dirname(os.path.abspath(__file__))


def build_page(project):
    """Build the page of all tabs in `_build/html`.

    Raises:
        ChapterError: d2lbook or Sphinx warned.
    """
    builder = project.builder('all')
    # Formulas without a network
    builder.config.build['sphinx_extensions'] += ' sphinx-mathjax-offline'
    with warnings_are_errors():
        builder.rst()
    rst = builder.config.rst_dir
    # d2lbook's own script would load analytics, icons and a forum from
    # other hosts: ours takes its place
    for name, mode in ('js', 'w'), ('css', 'a'):
        path = os.path.join(rst, '_static', 'd2l.' + name)
        with open(path, mode, encoding='utf-8') as file:
            for part in [
                os.path.join(HERE, 'page.' + name),
                *(project.static.split() if name == 'js' else []),
            ]:
                with open(part, encoding='utf-8-sig') as source:
                    file.write(source.read())
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
