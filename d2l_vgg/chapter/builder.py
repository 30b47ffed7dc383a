"""Build a chapter: a web page with tabs, and clean notebooks for each tab.

d2lbook reads the markdown, splits it by tab and joins the tabs to a page.
What is added here runs the cells, cleans the notebooks, and stops at whatever
is wrong; it knows no particular page.
"""

import ast
import configparser
import contextlib
import glob
import importlib.util
import logging
import os
import re
import shutil
import subprocess
import sys
import warnings
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag, urlsplit

from d2l_vgg.datasets import fashion_mnist, stand_in

HERE = os.path.dirname(os.path.abspath(__file__))
# What a module of d2l, or a folder of this package, imports in its turn
NEEDS = {
    'mxnet': ['mxnet'],
    'torch': ['torch', 'torchvision'],
    'tensorflow': ['tensorflow'],
    'jax': ['jax', 'flax', 'optax', 'tensorflow', 'tensorflow_datasets'],
}
# The class of a fence, ```{.python .input .long}, whose cell trains: the page
# does not show what it prints, since the builder cuts it short
LONG = 'long'
PDF_NEEDS = {
    'xelatex': 'texlive-xetex texlive-latex-recommended '
    'texlive-latex-extra texlive-fonts-recommended fonts-freefont-otf',
    'latexmk': 'latexmk',
    'rsvg-convert': 'librsvg2-bin',
}


class ChapterError(ValueError):
    """Something in the chapter is wrong; the message says where."""


def build(
    folder='chapter',
    run_cells=True,
    page=True,
    keep_output=False,
    progress=print,
):
    """Build the notebooks of every tab and the web page of all.

    Args:
        folder: a d2lbook project, the folder with `config.ini`
        run_cells: run the cells of the tabs whose framework is installed and
            show on the page what they print; training is cut short by
            `$D2L_VGG_TRIAL`
        page: whether to build the web page as well
        keep_output: leave in the notebooks what their cells printed, except
            those that train
        progress: called with a line of text for each step

    Returns:
        The path of the page's index, or of the notebooks without the page.
        Notebooks are `_build/notebooks/<tab>/<page>.ipynb`.

    Raises:
        ChapterError: a cell raised, a reference, a label, a citation or a
            link leads nowhere, or d2lbook or Sphinx warned.
    """
    with _project(folder) as project:
        # Without a new page the old one stays
        for old in glob.glob('_build' if page else '_build/[en]*'):
            shutil.rmtree(old)
        for tab in project.tabs:
            for name, notebook in project.notebooks(tab).items():
                clean = project.clean(notebook, name, tab)
                runs = run_cells and any(map(_is_code, clean.cells))
                missing = [
                    module
                    for module in _imports(clean)
                    if importlib.util.find_spec(module) is None
                ]
                if runs and missing:
                    progress(
                        f'{tab}: {name} not run, {", ".join(missing)} missing'
                    )
                elif runs:
                    progress(f'{tab}: running {name}')
                    _run(clean, notebook, name, tab)
                    _write(notebook, project.eval_path(tab, name))
                for cell in filter(_is_code, clean.cells):
                    cell.execution_count = None
                    if not keep_output or LONG in cell.metadata['classes']:
                        cell.outputs = []
                    del cell.metadata['classes']
                _write(clean, _notebook_path(tab, name))
        if not page:
            return os.path.join(folder, '_build', 'notebooks')
        progress('building the page')
        project.page()
        check_links('_build/html')
    return os.path.join(folder, '_build', 'html', 'index.html')


def hand_out(notebooks, target):
    """Copy what was built to `target`, but never over what is there.

    A reader works in that copy; the next build does not touch it.
    """
    for path in glob.glob(os.path.join(notebooks, '**'), recursive=True):
        copy = os.path.join(target, os.path.relpath(path, notebooks))
        if os.path.isfile(path) and not os.path.exists(copy):
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            shutil.copyfile(path, copy)


def slides(folder='chapter', tab=None):
    """Build the slides of a tab, notebooks for RISE; return their folder."""
    with _project(folder) as project:
        builder = project.builder(tab or project.tabs[0])
        # d2lbook wants to be told where it would publish them
        builder.config.slides['github_repo'] = f'{builder.config.tab}, -/-'
        with _warnings_are_errors():
            builder.slides()
        # It leads to where they would be published, which is nowhere
        slides_dir = builder.config.slides_dir
        with contextlib.suppress(FileNotFoundError):
            os.remove(os.path.join(slides_dir, 'README.md'))
        return os.path.join(folder, slides_dir)


def pdf(folder='chapter', tab=None):
    """Build the PDF of a tab; return its path.

    Raises:
        ChapterError: a program that makes PDFs is not installed.
    """
    missing = [name for name in PDF_NEEDS if not shutil.which(name)]
    if missing:
        packages = ' '.join(PDF_NEEDS[name] for name in missing)
        raise ChapterError(
            f'The PDF needs {", ".join(missing)}, not found here: on Debian '
            f'or Ubuntu run `apt install {packages}`.'
        )
    build(folder, page=False)
    with _project(folder) as project:
        os.environ.pop('SOURCE_DATE_EPOCH')  # A print tells its date
        builder = project.builder(tab or project.tabs[0])
        # Sphinx writes authors and years itself; natbib only gets labels
        builder.config.build['sphinx_configs'] += (
            "\nlatex_elements['preamble'] += r'\\setcitestyle{numbers}'\n"
        )
        with _warnings_are_errors():
            builder.pdf()
        name = builder.config.project['name'] + '.pdf'
        return os.path.join(folder, builder.config.pdf_dir, name)


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


class _Project:
    """A d2lbook project; the working directory is its folder."""

    def __init__(self):
        from d2lbook import notebook
        from d2lbook.config import Config

        config = Config()
        if config.build['output_dir'] != '_build':
            raise ChapterError(
                'config.ini names the output folder '
                f'{config.build["output_dir"]}, but it must be _build.'
            )
        self.tabs = config.tabs
        root = os.path.splitext(config.build['index'])[0] + '.md'
        self.names = [
            os.path.splitext(os.path.relpath(path))[0]
            for path in notebook.get_toc(root)
        ]
        self.bibfile = config.pdf['bibfile']
        self.static = config.html['include_js']
        self.resources = config.build['resources']
        own = configparser.ConfigParser()
        own.read('config.ini', encoding='utf-8')
        self.install = own['install'] if 'install' in own else {}
        self.marks = Marks.read(self.names, self._entries())

    def _entries(self):
        from pybtex.database import parse_file

        name = os.path.basename(self.bibfile)
        return parse_file(name).entries if name else {}

    def builder(self, tab):
        from d2lbook.build import Builder
        from d2lbook.config import Config

        return Builder(Config(tab=tab))

    def eval_path(self, tab, name):
        suffix = '' if tab == self.tabs[0] else '_' + tab
        return os.path.join('_build', 'eval' + suffix, name + '.ipynb')

    def notebooks(self, tab):
        """Return the notebooks of a tab as d2lbook makes them, by page."""
        from d2lbook import notebook

        with _warnings_are_errors():
            self.builder(tab).eval()
        found = {}
        for name in self.names:
            nb = notebook.read(self.eval_path(tab, name))
            if nb is not None:
                found[name] = nb
        for pattern in self.resources.split():
            paths = glob.glob(pattern)
            if not paths:
                raise ChapterError(f'config.ini names {pattern}, not there.')
            for path in paths:
                self._copy(path, os.path.join('_build', 'notebooks', tab))
        return found

    def _copy(self, path, folder):
        files = [path]
        if os.path.isdir(path):
            files = glob.glob(os.path.join(path, '**'), recursive=True)
        for file in filter(os.path.isfile, files):
            target = os.path.join(folder, os.path.normpath(file))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copyfile(file, target)

    def clean(self, notebook, name, tab):
        """Return a notebook as a reader wants it, without d2lbook's marks."""
        import nbformat
        from d2lbook.slides import remove_slide_marks

        cited = []
        cells = []
        if tab in self.install:
            cells.append(nbformat.v4.new_markdown_cell(self.install[tab]))
        for old in remove_slide_marks(notebook).cells:
            if old.cell_type == 'markdown':
                text = self.marks.replace(old.source, name, cited)
                if text:
                    cells.append(nbformat.v4.new_markdown_cell(text))
            else:
                cell = nbformat.v4.new_code_cell(old.source)
                cell.metadata['origin_pos'] = old.metadata['origin_pos']
                cell.metadata['classes'] = _classes(old)
                cells.append(cell)
        if cited:
            lines = [f'- {self.marks.reference(key)}' for key in cited]
            cells.append(
                nbformat.v4.new_markdown_cell(
                    '## References\n\n' + '\n'.join(lines)
                )
            )
        for i, cell in enumerate(cells):
            cell.id = f'cell-{i}'  # By itself it would be random
        return nbformat.v4.new_notebook(
            cells=cells,
            metadata={
                'kernelspec': {
                    'name': 'python3',
                    'display_name': 'Python 3',
                    'language': 'python',
                },
                'language_info': {'name': 'python'},
            },
        )

    def page(self):
        """Build the page of all tabs in `_build/html`."""
        builder = self.builder('all')
        # Formulas without a network
        builder.config.build['sphinx_extensions'] += ' sphinx-mathjax-offline'
        with _warnings_are_errors():
            builder.rst()
        rst = builder.config.rst_dir
        # d2lbook's own script would load analytics, icons and a forum from
        # other hosts: ours takes its place
        for name, mode in ('js', 'w'), ('css', 'a'):
            path = os.path.join(rst, '_static', 'd2l.' + name)
            with open(path, mode, encoding='utf-8') as file:
                for part in [
                    os.path.join(HERE, 'page.' + name),
                    *(self.static.split() if name == 'js' else []),
                ]:
                    with open(part, encoding='utf-8') as source:
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


class Marks:
    """What d2lbook's marks refer to: sections, figures, tables, works."""

    MARK = re.compile(r':(numref|ref|eqref|cite|citet|citep):`([^`]+)`')
    ALONE = re.compile(r'^ *:(width|height|label):`[^`]*`\s*$', re.M)
    # These name code
    CODE = re.compile(r':(?:func|class|mod):`([^`]+)`')
    CAPTION = re.compile(r'^:(?!\w+:`)(\S.*)\n(?=\n*\|)', re.M)
    IMAGE = re.compile(r'^!\[(.*?)\]\((.*?)\)', re.M | re.S)
    EQUATION = re.compile(r'\$\$\s*:eqlabel:`([^`]+)`')

    def __init__(self, entries):
        self.entries = entries
        self.targets = {}  # Label -> text, page
        self.captions = {}  # Page, caption -> number of the table

    @classmethod
    def read(cls, names, entries):
        """Collect the labels of the pages."""
        marks = cls(entries)
        for name in names:
            with open(name + '.md', encoding='utf-8') as file:
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
            source = self._figures(part['source'], name)
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
        style = find_plugin('pybtex.style.formatting', 'plain')()
        backend = find_plugin('pybtex.backends', 'markdown')()
        try:
            (formatted,) = style.format_entries([entry])
        except (AttributeError, PybtexError):
            # A kind of work that the style does not know, or lacks a field of
            who, year = self._authors_and_year(key)
            title = plain(entry.fields.get('title', key))
            return f'{who} ({year}). *{title}*.'
        text = ' '.join(formatted.text.render(backend).split())
        return re.sub(r'\\(?=[^\w\s])', '', text)


def plain(latex):
    """Return text of a bibliography without LaTeX's braces and accents."""
    from pybtex.richtext import Text

    return str(Text.from_latex(latex))


def _is_code(cell):
    return cell.cell_type == 'code'


def _classes(cell):
    return cell.metadata.get('attributes', {}).get('classes', [])


def _imports(notebook):
    """Return the modules that the cells of a notebook import."""
    found = {}
    for cell in filter(_is_code, notebook.cells):
        lines = cell.source.splitlines()
        code = '\n'.join(x for x in lines if not x.startswith(('%', '!')))
        try:
            nodes = list(ast.walk(ast.parse(code)))
        except SyntaxError:
            continue  # Running it will tell
        for node in nodes:
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [f'{node.module}.{a.name}' for a in node.names]
            else:
                continue
            for name in names:
                top, *inner = name.split('.')
                found[top] = True
                if top in ('d2l', 'd2l_vgg') and inner:
                    found.update(dict.fromkeys(NEEDS.get(inner[0], [])))
    return list(found)


def _run(clean, notebook, name, tab):
    """Run the cells of a clean notebook; put what they print in the other."""
    from nbclient import NotebookClient
    from nbclient.exceptions import (
        CellExecutionError,
        CellTimeoutError,
        DeadKernelError,
    )
    from nbformat.v4 import new_code_cell

    # Never seen: cuts the trainings of the book's own trainers short
    code = '\n'.join(cell.source for cell in filter(_is_code, clean.cells))
    lines = ['from d2l_vgg.book import stock']
    for module in re.findall(
        r'^(?:from d2l import |import d2l\.)(\w+)', code, re.M
    ):
        lines.append(f'stock.shorten({module!r})')
        lines.append(f'stock.offer_data({module!r})')
    hidden = new_code_cell('\n'.join(lines))
    hidden.id = 'hidden'
    started = []
    client = NotebookClient(
        clean,
        timeout=1200,
        kernel_name='python3',
        record_timing=False,  # Two builds must be the same
        on_cell_start=lambda cell, cell_index: started.append(cell),
        extra_arguments=['--log-level=ERROR'],
        resources={
            'metadata': {'path': os.path.dirname(_notebook_path(tab, name))}
        },
    )
    clean.cells.insert(0, hidden)
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        number = sum(map(_is_code, started)) - 1
        where = f'{name}.md, tab {tab}, code cell {number}'
        if isinstance(error, CellTimeoutError):
            what = f'ran longer than {client.timeout} seconds'
        elif isinstance(error, DeadKernelError):
            what = 'made its kernel die'
        else:
            what = f'raised {error.ename}: {error.evalue}'
        raise ChapterError(f'{where} {what}') from error
    finally:
        clean.cells.remove(hidden)
    outputs = {
        cell.metadata['origin_pos']: cell.outputs
        for cell in filter(_is_code, clean.cells)
    }
    for cell in notebook.cells:
        if _is_code(cell) and LONG not in _classes(cell):
            cell.outputs = [
                output
                for output in outputs[cell.metadata['origin_pos']]
                if output.get('name') != 'stderr'
            ]


def _notebook_path(tab, name):
    return os.path.join('_build', 'notebooks', tab, name + '.ipynb')


def _write(notebook, path):
    import nbformat

    os.makedirs(os.path.dirname(path), exist_ok=True)
    nbformat.write(notebook, path)


@contextlib.contextmanager
def _project(folder):
    """Work inside the folder of a project, with pandoc on the path.

    Raises:
        ChapterError: no project is there, or d2lbook is not installed.
    """
    if not os.path.exists(os.path.join(folder, 'config.ini')):
        raise ChapterError(
            f'{folder} has no config.ini, so it is no d2lbook project: name '
            'the folder of the chapter.'
        )
    if importlib.util.find_spec('d2lbook') is None:
        raise ChapterError(
            "d2lbook is not installed: run `pip install -e '.[book]'`."
        )
    import pypandoc
    from nbformat.warnings import DuplicateCellId

    before = os.getcwd()
    environment = dict(os.environ)
    # d2lbook and nbconvert call programs by their bare names
    os.environ['PATH'] = os.pathsep.join(
        [
            os.path.dirname(sys.executable),
            os.path.dirname(pypandoc.get_pandoc_path()),
            os.environ.get('PATH', ''),
        ]
    )
    # The kernel of this environment, not one of the same name of the user
    os.environ['JUPYTER_PREFER_ENV_PATH'] = '1'
    os.environ.setdefault('D2L_VGG_TRIAL', '1')
    # The cells run in other folders, and without a network
    if not stand_in.is_asked_for():
        found = [
            os.path.dirname(path)
            for _, path, state in fashion_mnist.status()
            if state == 'whole'
        ]
        whole = len(found) == len(fashion_mnist.FILES)
        os.environ['D2L_VGG_DATA'] = found[0] if whole else 'stand-in'
    # The pictures of two builds must be the same
    os.environ['SOURCE_DATE_EPOCH'] = '0'
    os.chdir(folder)
    try:
        with warnings.catch_warnings():
            # d2lbook copies cells with their ids into the page of all tabs
            warnings.simplefilter('ignore', DuplicateCellId)
            yield _Project()
    finally:
        os.chdir(before)
        os.environ.clear()
        os.environ.update(environment)


@contextlib.contextmanager
def _warnings_are_errors():
    """Make d2lbook's warnings fatal; it tells them to the root logger."""
    told = []

    class Collect(logging.Handler):
        def emit(self, record):
            told.append(record.getMessage())

    handler = Collect(logging.WARNING)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    except SystemExit:
        raise ChapterError('d2lbook stopped: ' + '; '.join(told)) from None
    finally:
        root.removeHandler(handler)
    if told:
        raise ChapterError('d2lbook warns: ' + '; '.join(told))
