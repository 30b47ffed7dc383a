"""Build a chapter: a web page with tabs, and clean notebooks for each tab.

d2lbook reads the markdown, splits it by tab and joins the tabs to a page.
What is added here runs the cells, cleans the notebooks, and stops at whatever
is wrong; it knows no particular page.
"""

import glob
import os
import shutil
from pathlib import Path

from d2l_vgg.chapter import ChapterError, deck, notebooks, recorded
from d2l_vgg.chapter.links import check_links
from d2l_vgg.chapter.page import build_page
from d2l_vgg.chapter.project import open_project
from d2l_vgg.files import write_whole

# The programs that make a PDF, and the packages of Debian that have them
PDF_PROGRAMS = {
    'xelatex': 'texlive-xetex texlive-latex-recommended '
    'texlive-latex-extra texlive-fonts-recommended fonts-freefont-otf',
    'latexmk': 'latexmk',
    'rsvg-convert': 'librsvg2-bin',
}
PDF_CONFIG = r"""
latex_elements['extraclassoptions'] = 'openany,oneside'
# Sphinx writes authors and years itself; natbib only gets labels
latex_elements['preamble'] += r'\setcitestyle{numbers}'
bibtex_default_style = 'apa'
# What cells print is no code
highlight_language = 'none'
# Pictures of the same name in several folders become PDFs in one
from sphinx.transforms.post_transforms import images
name_of = images.get_filename_for
images.get_filename_for = lambda path, kind: name_of(
    path.replace('/', '-'), kind)
"""


def build(folder='chapter', run_cells=True, page=True, keep_output=False):
    """Build the notebooks of every tab and the web page of all.

    Args:
        folder: a d2lbook project, the folder with `config.ini`
        run_cells: run the cells of the tabs whose framework is installed and
            show on the page what they print; training is cut short by
            `$D2L_VGG_TRIAL`
        page: whether to build the web page as well
        keep_output: leave in the notebooks what their cells printed, except
            those that train

    Returns:
        The path of the page's index, or of the notebooks without the page.
        Notebooks are `_build/notebooks/<tab>/<page>.ipynb`.

    Raises:
        ChapterError: a cell raised, a reference, a label, a citation or a
            link leads nowhere, a record is broken, d2lbook or Sphinx warned.
    """
    with open_project(folder) as project:
        # A PDF stays, and without a new page the old one
        for old in glob.glob('_build/[!p]*' if page else '_build/[en]*'):
            shutil.rmtree(old)
        pages = {name: {} for name in project.names}
        for tab in project.tabs:
            for name, notebook in make(project, tab, run_cells, keep_output):
                pages[name][tab] = notebook
                if page:
                    deck.write(notebook, name, tab, project)
        if not page:
            return os.path.join(folder, '_build', 'notebooks')
        print('building the page')
        deck.copy_libraries()
        shutil.copytree('_build/notebooks', '_build/html/notebooks')
        build_page(project, pages)
        check_links('_build/html')
    return os.path.join(folder, '_build', 'html', 'index.html')


def make(project, tab, run_cells=True, keep_output=False):
    """Write the clean notebooks of a tab; yield each page and its notebook.

    That is d2lbook's, which holds what its cells print: here if `run_cells`
    is set and the framework installed, or where they were recorded.
    """
    missing = notebooks.missing(tab)
    for name, notebook in project.notebooks(tab):
        clean = notebooks.clean(notebook, name, project, tab)
        if not any(map(notebooks.is_code, notebook.cells)):
            pass
        elif run_cells and not missing:
            print(f'{tab}: running {name}')
            notebooks.run(clean, name, tab)
            notebooks.copy_output(clean, notebook)
            recorded.fill(notebook, name, tab, only_long=True)
        else:
            recorded.fill(notebook, name, tab)
            if missing:
                print(f'{tab}: {name} not run, {missing} missing')
        notebooks.remove_output(clean, only_long=keep_output)
        notebooks.write(clean, f'_build/notebooks/{tab}/{name}.ipynb')
        yield name, notebook


def hand_out(folder, target):
    """Copy a folder of notebooks to `target`, never over what is there."""
    for path in Path(folder).rglob('*'):
        mine = Path(target, path.relative_to(folder))
        if path.is_file() and not mine.exists():
            # Not by shutil, which fails where no mode can be set, and whole,
            # since a half would never be written over
            content = path.read_bytes()
            write_whole(mine, lambda file, text=content: file.write(text))


def slides(folder='chapter', tab=None):
    """Build the slides of a tab, the first unless named; return their folder.

    Its cells are run if its framework is installed, as for the page.
    """
    with open_project(folder) as project:
        tab = tab or project.tabs[0]
        for old in glob.glob(f'_build/html/[ns]*/{tab}'):
            shutil.rmtree(old)
        for name, notebook in make(project, tab):
            deck.write(notebook, name, tab, project)
        deck.copy_libraries()
        part = f'notebooks/{tab}'
        shutil.copytree(f'_build/{part}', f'_build/html/{part}')
    return os.path.join(folder, '_build', 'html', 'slides', tab)


def pdf(folder='chapter', tab=None):
    """Build the PDF of a tab, the first unless named; return its path.

    Its cells are run if its framework is installed, as for the page.
    """
    missing = [name for name in PDF_PROGRAMS if not shutil.which(name)]
    if missing:
        packages = ' '.join(PDF_PROGRAMS[name] for name in missing)
        raise ChapterError(
            f'The PDF needs {", ".join(missing)}, not found here: on Debian '
            f'or Ubuntu run `apt install {packages}`.'
        )
    with open_project(folder) as project:
        tab = tab or project.tabs[0]
        builder = project.builder(tab)
        config = builder.config
        for old in config.eval_dir, config.rst_dir, config.pdf_dir:
            shutil.rmtree(old, ignore_errors=True)
        for name, notebook in make(project, tab):
            note = notebook.metadata.get('note', '')
            notebook.cells[0].source += f'\n\n{note}'
            # d2lbook leaves alone what is newer than its source
            notebooks.write(notebook, f'{config.eval_dir}/{name}.ipynb')
        os.environ.pop('SOURCE_DATE_EPOCH')  # A print tells its date
        config.build['sphinx_configs'] += PDF_CONFIG
        builder.pdf()
        name = config.project['name'] + '.pdf'
        return os.path.join(folder, config.pdf_dir, name)
