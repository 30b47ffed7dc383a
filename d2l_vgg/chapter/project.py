"""A d2lbook project: its pages and tabs, and what d2lbook makes of them."""

import configparser
import contextlib
import glob
import importlib.util
import logging
import os
import sys
import warnings
from pathlib import Path

from d2l_vgg.chapter import ChapterError
from d2l_vgg.chapter.marks import Marks
from d2l_vgg.files import alone_in
from d2l_vgg.training import smoke_test


@contextlib.contextmanager
def open_project(folder):
    """Give the Project of a folder, and work inside that folder meanwhile.

    Raises:
        ChapterError: no project is there, d2lbook is not installed or warns,
            or another process builds it.
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
    smoke_test.size()  # Refuses what the cells would stop at

    def refuse():
        raise ChapterError(
            f'Another process builds the chapter in {folder}: wait for its '
            'end.'
        )

    def refuse_warning(record):
        if record.levelno >= logging.WARNING:
            raise ChapterError(f'd2lbook warns: {record.getMessage()}')
        return True

    before, environment = os.getcwd(), dict(os.environ)
    # A filter sees what is told to the root logger itself, as d2lbook does
    logging.getLogger().addFilter(refuse_warning)
    try:
        _set_environment()
        os.chdir(folder)
        with warnings.catch_warnings(), alone_in('.', refuse):
            # d2lbook copies cells with their ids, and asks an old pybtex
            for told in 'Non-unique cell id', 'pkg_resources is deprecated':
                warnings.filterwarnings('ignore', told)
            yield Project()
    finally:
        logging.getLogger().removeFilter(refuse_warning)
        os.chdir(before)
        os.environ.clear()
        os.environ.update(environment)


def _set_environment():
    import pypandoc

    # d2lbook and nbconvert call programs by their bare names
    programs = [sys.executable, pypandoc.get_pandoc_path()]
    path = [*map(os.path.dirname, programs), os.environ.get('PATH', '')]
    os.environ['PATH'] = os.pathsep.join(path)
    # The kernel of this environment, not one of the same name of the user
    os.environ['JUPYTER_PREFER_ENV_PATH'] = '1'
    os.environ.setdefault('D2L_VGG_TRIAL', '1')
    # The pictures of two builds must be the same
    os.environ['SOURCE_DATE_EPOCH'] = '0'


class Project:
    """A d2lbook project; the working directory is its folder.

    `names` are the pages, as paths without `.md`, `install` is what pip is
    told in the first cell of a tab's notebooks, one call a line, and `marks`
    what the marks of the pages refer to.
    """

    def __init__(self):
        from d2lbook import notebook
        from d2lbook.config import Config

        self.config = Config()
        self.tabs = self.config.tabs
        pages = notebook.get_toc(self.config.build['index'] + '.md')
        self.names = [os.path.relpath(page)[:-3] for page in pages]
        own = configparser.ConfigParser()
        own.read('config.ini', encoding='utf-8')
        self.install = own['install'] if 'install' in own else {}
        self.marks = Marks(self.names, self.config.pdf['bibfile'])

    def builder(self, tab):
        """Return d2lbook's builder of a tab, or of 'all'."""
        from d2lbook.build import Builder
        from d2lbook.config import Config

        return Builder(Config(tab=tab))

    def notebooks(self, tab):
        """Yield each page that a tab has, and its notebook of d2lbook."""
        from d2lbook import library, notebook

        for pattern in self.config.build['resources'].split():
            if not glob.glob(pattern):
                raise ChapterError(f'config.ini names {pattern}, not there.')
        self.builder(tab)._copy_resources('.', f'_build/notebooks/{tab}')
        for name in self.names:
            nb = notebook.read_markdown(Path(f'{name}.md').read_text('utf-8'))
            for cell in nb.cells:
                told = cell.metadata.get('attributes', {})
                if 'alt' in told:  # notedown keeps the quotation marks
                    told['alt'] = told['alt'].strip('"')
            nb = notebook.split_markdown_cell(nb)
            # By itself d2lbook gives code for all to the first tab only
            for_all = any(
                notebook.get_cell_tab(cell) == ['all'] for cell in nb.cells
            )
            default = tab if for_all else self.tabs[0]
            nb = notebook.get_tab_notebook(nb, tab, default)
            if nb is not None:
                nb.metadata['language_info'] = {'name': 'python'}
                yield name, library.format_code_nb(nb)
