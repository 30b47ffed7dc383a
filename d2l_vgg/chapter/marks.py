"""d2lbook's marks in Markdown, such as :numref:`fig_vgg`, made readable."""

import html
import os
import re

from d2l_vgg.chapter import ChapterError


class Marks:
    """What d2lbook's marks refer to: sections, figures, tables, works."""

    MARK = re.compile(r':(numref|ref|eqref|cite|citet|citep):`([^`]+)`')
    ALONE = re.compile(r'^ *:(width|height|label):`[^`]*`\s*$', re.M)
    # These name code
    CODE = re.compile(r':(?:func|class|mod):`([^`]+)`')
    CAPTION = re.compile(r'^:(?!\w+:`)(\S.*)\n(?=\n*\|)', re.M)
    IMAGE = re.compile(r'^!\[(.*?)\]\((.*?)\)', re.M | re.S)
    COMMENT = re.compile(r'<!--.*?-->', re.S)
    EQUATION = re.compile(r'\$\$\s*:eqlabel:`([^`]+)`')

    def __init__(self, entries):
        self.entries = entries
        self.targets = {}  # Label -> text, page
        self.captions = {}  # Page, caption -> number of the table

    @classmethod
    def read(cls, names, entries):
        """Return the Marks of pages, for which it collects their labels."""
        marks = cls(entries)
        for name in names:
            with open(name + '.md', encoding='utf-8-sig') as file:
                text = re.sub(
                    r'^```.*?^```', '', file.read(), flags=re.M | re.S
                )
            marks._collect(text, name)
        return marks

    def _collect(self, text, name):
        latest, figures, tables, equations = None, 0, 0, 0
        captions = {m.group(1) for m in self.CAPTION.finditer(text)}
        for line in text.splitlines():
            heading = re.match(r'#+ (.*)', line)
            if heading:
                title = re.sub(r'[\[(]\*\*|\*\*[\])]', '', heading.group(1))
                latest = title.strip()
            elif line.startswith('!['):
                figures += 1
                latest = f'Fig. {figures}'
            elif line[1:] in captions and line.startswith(':'):
                # Only tables with a caption have a number
                tables += 1
                latest = self.captions[name, line[1:]] = f'Table {tables}'
            label = re.match(r':label:`([^`]+)`', line)
            if label:
                self.targets[label.group(1)] = latest, name
            equation = re.search(r':eqlabel:`([^`]+)`', line)
            if equation:
                equations += 1
                self.targets[equation.group(1)] = f'({equations})', name

    def replace(self, text, name, cited):
        """Return a markdown cell with readable text in place of marks.

        Adds the works it cites to `cited`.

        Raises:
            ChapterError: it cites or refers to what is nowhere.
        """
        from d2lbook import markdown

        parts = []
        for part in markdown.split_markdown(text):
            if part['type'] == 'code':
                if part['class'] == 'toc':
                    pages = [
                        line.strip()
                        for line in part['source'].splitlines()
                        if line.strip() and not line.startswith(':')
                    ]
                    parts.append(
                        '\n'.join(f'- [{p}]({p}.ipynb)' for p in pages)
                    )
                elif 'eval_rst' not in part['class']:
                    fence = part['fence']
                    parts.append(
                        f'{fence}{part["class"]}\n{part["source"]}\n{fence}'
                    )
                continue
            source = self.COMMENT.sub('', part['source'])
            source = self._figures(source, name)
            source = self.EQUATION.sub(self._tag, source)
            source = self.ALONE.sub('', source)
            source = self.CAPTION.sub(
                lambda match: (
                    f'*{self.captions[name, match.group(1)]}: '
                    f'{match.group(1)}*\n'
                ),
                source,
            )
            source = self.CODE.sub(r'`\1`', source)
            source = self.MARK.sub(
                lambda match: self._readable(match, name, cited), source
            )
            parts.append(re.sub(r'\n{3,}', '\n\n', source).strip())
        return '\n\n'.join(part for part in parts if part)

    def _tag(self, match):
        number = self.targets[match.group(1)][0].strip('()')
        return rf'\tag{{{number}}}$$'

    def _figures(self, source, name):
        """Put the number and the caption of each figure below it."""

        def figure(match):
            caption = ' '.join(match.group(1).split())
            after = source[match.end() :]
            label = re.match(
                r'(?:\s*:width:`[^`]*`)?\s*:label:`(.*?)`', after
            )
            number = self.targets[label.group(1)][0] + ': ' if label else ''
            below = f'\n\n*{number}{caption}*' if caption else ''
            return f'![{caption}]({match.group(2)}){below}'

        return self.IMAGE.sub(figure, source)

    def _readable(self, match, name, cited):
        kind, keys = match.groups()
        if kind.startswith('cite'):
            keys = [key.strip() for key in keys.split(',')]
            for key in keys:
                if key not in self.entries:
                    raise ChapterError(
                        f'{name}.md cites {key}, which is not in the '
                        'bibliography.'
                    )
                if key not in cited:
                    cited.append(key)
            works = [self._authors_and_year(key) for key in keys]
            if kind == 'citet':
                return ' and '.join(f'{who} ({year})' for who, year in works)
            return '(' + '; '.join(f'{w}, {y}' for w, y in works) + ')'
        if keys not in self.targets:
            raise ChapterError(
                f'{name}.md refers to {keys}, a label that no page has.'
            )
        text, page = self.targets[keys]
        if page == name:
            return text
        address = os.path.relpath(page, os.path.dirname(name) or '.')
        return f'[{text}]({address}.ipynb)'

    def _authors_and_year(self, key):
        entry = self.entries[key]
        persons = entry.persons.get('author') or entry.persons.get('editor')
        people = [
            ' '.join(map(plain, p.prelast_names + p.last_names))
            for p in persons or []
        ]
        if not people:
            people = [plain(entry.fields.get('title', key))]
        if len(people) > 2:
            people = [people[0] + ' et al.']
        return ' and '.join(people), entry.fields.get('year', 'n.d.')

    def reference(self, key):
        """Return the full reference of a work."""
        from pybtex.exceptions import PybtexError
        from pybtex.plugin import find_plugin

        entry = self.entries[key]
        style = find_plugin('pybtex.style.formatting', 'apa')()
        backend = find_plugin('pybtex.backends', 'markdown')()
        try:
            (formatted,) = style.format_entries([entry])
        except (AttributeError, PybtexError):
            # A kind of work that the style does not know, or lacks a field of
            who, year = self._authors_and_year(key)
            title = plain(entry.fields.get('title', key))
            return f'{who} ({year}). *{title}*.'
        text = html.unescape(formatted.text.render(backend))
        text = ' '.join(text.split())
        return re.sub(r'\\(?=[^\w\s])', '', text)


def plain(latex):
    """Return text of a bibliography without LaTeX's braces and accents."""
    from pybtex.richtext import Text

    return str(Text.from_latex(latex))
