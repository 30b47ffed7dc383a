"""Every link and every source of the built pages is there."""

import glob
import os
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

from d2l_vgg.chapter import ChapterError


def check_links(folder):
    """See that each link of a folder of pages leads to what is there."""
    from bs4 import BeautifulSoup

    pages, anchors = {}, {}
    for path in sorted(glob.glob(f'{folder}/**/*.html', recursive=True)):
        name = os.path.relpath(path, folder)
        soup = BeautifulSoup(Path(path).read_bytes(), 'html.parser')
        pages[name] = soup.select('[src], [href]')
        anchors[name] = {tag['id'] for tag in soup.select('[id]')}
    for name, tags in pages.items():
        for tag in tags:
            link = (tag.get('src') or tag.get('href')).strip()
            address, anchor = urldefrag(link)
            if link.startswith('data:'):  # It stands in the page itself
                continue
            if urlsplit(address).scheme or address.startswith('//'):
                if tag.name != 'a':
                    raise ChapterError(f'{name} asks another host: {link}.')
                continue
            target = os.path.join(os.path.dirname(name), unquote(address))
            target = os.path.normpath(target) if address else name
            known = anchors.get(target, [unquote(anchor)])
            if not os.path.exists(os.path.join(folder, target)) or (
                anchor and unquote(anchor) not in known
            ):
                raise ChapterError(f'{name} links to {link}, not there.')
