"""d2lbook's marks in Markdown, such as :numref:`fig_vgg`, made readable."""

import html
import os
import re
from pathlib import Path

from d2l_vgg.chapter import ChapterError

MARK = re.compile(r':(\w+):`([^`]+)`')
# A line of its own, which is not for readers
ALONE = re.compile(r'^ *:(width|height|label):`[^`]*`\s*$', re.M)
# Its caption, its file and its label
IMAGE = re.compile(
    r'^!\[(.*?)\]\((.*?)\)(?:(?=\s*(?::width:`[^`]*`)?\s*:label:`(.*?)`))?',
    re.M | re.S,
)
COMMENT = re.compile(r'<!--.*?-->', re.S)
# What slides show
SLIDE = re.compile(r'[\[(]\*\*(.+?)\*\*[\])](?!\()', re.S)


class Marks:
    """What d2lbook's marks refer to: sections, figures and works.

    Args:
        names: the pages, as paths without `.md`
        bibfile: the bibliography, or an empty text
    """

    def __init__(self, names, bibfile):
        from pybtex.database import parse_file

        name = os.path.basename(bibfile)
        self.entries = parse_file(name).entries if name else {}
        self.targets = {}  # Label -> text, page
        for name in names:
            self._collect(Path(f'{name}.md').read_text('utf-8'), name)

    def _collect(self, text, name):
        latest, figures = None, 0
        for line in re.sub(r'(?ms)^```.*?^```', '', text).splitlines():
            if line.startswith('#'):
                latest = SLIDE.sub(r'\1', line).lstrip('#').strip()
            elif line.startswith('!['):
                figures += 1
                latest = f'Fig. {figures}'
            for label in re.findall(r'^:label:`([^`]+)`', line):
                self.targets[label] = latest, name

    def replace(self, text, name, cited):
        """Return a markdown cell with readable text in place of marks.

        Adds the works it cites to `cited`.
        """
        from d2lbook import markdown

        parts = []
        for part in markdown.split_markdown(text):
            kind, source = part.get('class') or '', part['source']
            if part['type'] != 'code':
                parts.append(self._readable(source, name, cited))
            elif kind == 'toc':
                pages = [line.strip() for line in source.splitlines()]
                pages = [p for p in pages if p and not p.startswith(':')]
                parts.append('\n'.join(f'- [{p}]({p}.ipynb)' for p in pages))
            elif 'eval_rst' not in kind:
                fence = part['fence']
                parts.append(f'{fence}{kind}\n{source}\n{fence}')
        return '\n\n'.join(part for part in parts if part)

    def _readable(self, text, name, cited):
        def figure(match):
            """Put the number and the caption of a figure below it."""
            caption, source, label = match.groups()
            caption = ' '.join(caption.split())
            number = self.targets[label][0] + ': ' if label else ''
            below = f'\n\n*{number}{caption}*' if caption else ''
            return f'![{caption}]({source}){below}'

        def reference(match):
            kind, keys = match.groups()
            if kind in ('cite', 'citet', 'citep'):
                return self._cite(kind, keys, name, cited)
            if kind in ('ref', 'numref'):
                return self._refer(keys, name)
            raise ChapterError(
                f'{name}.md has {match.group()}, a mark that notebooks '
                'cannot show: write it in words.'
            )

        text = ALONE.sub('', IMAGE.sub(figure, COMMENT.sub('', text)))
        text = MARK.sub(reference, text)
        return re.sub(r'\n{3,}', '\n\n', text).strip()

    def _refer(self, label, name):
        if label not in self.targets:
            raise ChapterError(
                f'{name}.md refers to {label}, a label that no page has.'
            )
        text, page = self.targets[label]
        if page == name:
            return text
        address = os.path.relpath(page, os.path.dirname(name) or '.')
        return f'[{text}]({address}.ipynb)'

    def _cite(self, kind, keys, name, cited):
        works = []
        for key in map(str.strip, keys.split(',')):
            if key not in self.entries:
                raise ChapterError(
                    f'{name}.md cites {key}, not in the bibliography.'
                )
            if key not in cited:
                cited.append(key)
            works.append(self._authors_and_year(key))
        if kind == 'citet':
            return ' and '.join(f'{who} ({year})' for who, year in works)
        return '(' + '; '.join(f'{who}, {year}' for who, year in works) + ')'

    def _authors_and_year(self, key):
        from pybtex.richtext import Text

        entry = self.entries[key]
        persons = entry.persons.get('author') or entry.persons['editor']
        people = [' '.join(p.prelast_names + p.last_names) for p in persons]
        # Without LaTeX's braces and accents
        people = [str(Text.from_latex(name)) for name in people]
        if len(people) > 2:
            people = [people[0] + ' et al.']
        return ' and '.join(people), entry.fields.get('year', 'n.d.')

    def reference(self, key):
        """Return the full reference of a work."""
        from pybtex.plugin import find_plugin

        style = find_plugin('pybtex.style.formatting', 'apa')()
        (formatted,) = style.format_entries([self.entries[key]])
        backend = find_plugin('pybtex.backends', 'markdown')()
        text = html.unescape(formatted.text.render(backend))
        return re.sub(r'\\(?=[^\w\s])', '', ' '.join(text.split()))
