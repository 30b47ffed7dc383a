"""A d2lbook project: its pages and tabs, and what d2lbook makes of them."""

import configparser
import contextlib
import glob
import importlib.util
import logging
import os
import shutil
import sys
import warnings

from d2l_vgg.chapter import ChapterError
from d2l_vgg.chapter.marks import Marks
from d2l_vgg.files import alone_in
from d2l_vgg.training import trial


@contextlib.contextmanager
def open_project(folder):
    """Give the Project of a folder, and work inside that folder meanwhile.

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
    trial.size()  # Refuses what the cells would stop at
    from nbformat.warnings import DuplicateCellId

    before = os.getcwd()
    environment = dict(os.environ)
    try:
        _set_environment()
        os.chdir(folder)
        with warnings.catch_warnings(), _utf8_read(), _alone(folder):
            # d2lbook copies cells with their ids into the page of all tabs
            warnings.simplefilter('ignore', DuplicateCellId)
            yield Project()
    finally:
        os.chdir(before)
        os.environ.clear()
        os.environ.update(environment)


def _alone(folder):
    """Let no second process build the project meanwhile.

    Raises:
        ChapterError: another process does.
    """

    def refuse():
        raise ChapterError(
            f'Another process builds the chapter in {folder}: wait for its '
            'end.'
        )

    return alone_in('.', refuse)


@contextlib.contextmanager
def _utf8_read():
    """Let d2lbook read UTF-8 wherever it is, with a byte-order mark or not.

    It asks for the encoding of the locale, and takes the mark, with which
    editors on Windows begin a file, for the first letter of its text.
    """
    from d2lbook import build, config, notebook

    def open_text(file, mode='r', *args, **kwargs):
        if 'b' not in mode:
            kwargs['encoding'] = 'utf-8-sig' if 'r' in mode else 'utf-8'
        return open(file, mode, *args, **kwargs)

    modules = build, config, configparser, notebook
    try:
        for module in modules:
            module.open = open_text  # Before Python's own
        yield
    finally:
        for module in modules:
            del module.open


def _set_environment():
    """Tell the programs and kernels that are started where to find what."""
    import pypandoc

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
    # The pictures of two builds must be the same
    os.environ['SOURCE_DATE_EPOCH'] = '0'


@contextlib.contextmanager
def warnings_are_errors():
    """Make d2lbook's warnings fatal; it tells them to the root logger.

    Raises:
        ChapterError: d2lbook warned or gave up.
    """
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


class Project:
    """A d2lbook project; the working directory is its folder.

    `title` is its name, `names` are its pages, as paths without `.md`, `tabs`
    its tabs, `static` the scripts of its pages, `install` what pip is told at
    the beginning of the notebooks of a tab, and `marks` what the marks of its
    pages refer to.
    """

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
        self.title = config.project['title']
        root = os.path.splitext(config.build['index'])[0] + '.md'
        self.names = [
            os.path.splitext(os.path.relpath(path))[0]
            for path in notebook.get_toc(root)
        ]
        self.bibfile = config.pdf['bibfile']
        self.static = config.html['include_js']
        self.resources = config.build['resources']
        own = configparser.ConfigParser()
        own.read('config.ini')
        self.install = own['install'] if 'install' in own else {}
        self.marks = Marks.read(self.names, self._entries())

    def _entries(self):
        from pybtex.database import parse_file

        name = os.path.basename(self.bibfile)
        return parse_file(name).entries if name else {}

    def builder(self, tab):
        """Return d2lbook's builder of a tab, or of 'all'."""
        from d2lbook.build import Builder
        from d2lbook.config import Config

        return Builder(Config(tab=tab))

    def eval_path(self, tab, name):
        """Return where d2lbook looks for the notebook of a page."""
        suffix = '' if tab == self.tabs[0] else '_' + tab
        return os.path.join('_build', 'eval' + suffix, name + '.ipynb')

    def notebooks(self, tab):
        """Return the notebooks of a tab as d2lbook makes them, by page.

        The files that the project wants beside them are copied there.

        Raises:
            ChapterError: d2lbook warned, or such a file is missing.
        """
        from d2lbook import notebook

        with warnings_are_errors():
            self.builder(tab).eval()
        found = {}
        for name in self.names:
            nb = notebook.read(self.eval_path(tab, name))
            if nb is None:
                nb = self._of_all_tabs(tab, name)
            if nb is not None:
                found[name] = nb
        for pattern in self.resources.split():
            paths = glob.glob(pattern)
            if not paths:
                raise ChapterError(f'config.ini names {pattern}, not there.')
            for path in paths:
                self._copy(path, os.path.join('_build', 'notebooks', tab))
        return found

    def _of_all_tabs(self, tab, name):
        """Return the notebook of a page all of whose code is of all tabs.

        d2lbook gives it to the first tab only. None, if the tab has none.
        """
        import nbformat
        from d2lbook import notebook

        with open(name + '.md', encoding='utf-8-sig') as file:
            nb = notebook.read_markdown(file.read())
        if not any(notebook.get_cell_tab(c) == ['all'] for c in nb.cells):
            return None
        nb = notebook.split_markdown_cell(nb)
        nb = notebook.get_tab_notebook(nb, tab, tab)
        nbformat.write(nb, self.eval_path(tab, name))
        return nb

    def _copy(self, path, folder):
        files = [path]
        if os.path.isdir(path):
            files = glob.glob(os.path.join(path, '**'), recursive=True)
        for file in filter(os.path.isfile, files):
            target = os.path.join(folder, os.path.normpath(file))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copyfile(file, target)
