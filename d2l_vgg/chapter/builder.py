"""Build a chapter: a web page with tabs, and clean notebooks for each tab.

d2lbook reads the markdown, splits it by tab and joins the tabs to a page.
What is added here runs the cells, cleans the notebooks, and stops at whatever
is wrong; it knows no particular page.
"""

import contextlib
import glob
import os
import shutil

from d2l_vgg.chapter import ChapterError, notebooks, pdf_needs
from d2l_vgg.chapter.page import build_page, check_links
from d2l_vgg.chapter.project import open_project, warnings_are_errors
from d2l_vgg.files import write_whole


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
    with open_project(folder) as project:
        # Without a new page the old one stays
        for old in glob.glob('_build' if page else '_build/[en]*'):
            shutil.rmtree(old)
        for tab in project.tabs:
            for name, notebook in project.notebooks(tab).items():
                clean = notebooks.clean(
                    notebook, name, project.marks, project.install.get(tab)
                )
                if run_cells:
                    _run(clean, notebook, name, tab, project, progress)
                notebooks.remove_output(clean, only_long=keep_output)
                notebooks.write(clean, notebooks.clean_path(tab, name))
        if not page:
            return os.path.join(folder, '_build', 'notebooks')
        progress('building the page')
        build_page(project)
        check_links('_build/html')
    return os.path.join(folder, '_build', 'html', 'index.html')


def _run(clean, notebook, name, tab, project, progress):
    """Run a clean notebook, for the page; not without what it imports."""
    if not any(map(notebooks.is_code, clean.cells)):
        return
    missing = notebooks.missing_imports(clean)
    if missing:
        progress(f'{tab}: {name} not run, {", ".join(missing)} missing')
        return
    progress(f'{tab}: running {name}')
    notebooks.run(clean, name, tab)
    notebooks.copy_output(clean, notebook)
    notebooks.write(notebook, project.eval_path(tab, name))


def hand_out(folder, target):
    """Copy a folder of notebooks to `target`, never over what is there.

    A reader works in that copy; the next build does not touch it.
    """
    for path in glob.glob(os.path.join(folder, '**'), recursive=True):
        copy = os.path.join(target, os.path.relpath(path, folder))
        if os.path.isfile(path) and not os.path.exists(copy):
            with open(path, 'rb') as file:
                content = file.read()
            # A half would never be written over
            write_whole(copy, lambda file, data=content: file.write(data))


def slides(folder='chapter', tab=None):
    """Build the slides of a tab, the first unless named.

    Returns:
        The path of their folder, which holds notebooks for RISE.

    Raises:
        ChapterError: no project is there, or d2lbook warned.
    """
    with open_project(folder) as project:
        builder = project.builder(tab or project.tabs[0])
        # d2lbook wants to be told where it would publish them
        builder.config.slides['github_repo'] = f'{builder.config.tab}, -/-'
        with warnings_are_errors():
            builder.slides()
        # It leads to where they would be published, which is nowhere
        slides_dir = builder.config.slides_dir
        with contextlib.suppress(FileNotFoundError):
            os.remove(os.path.join(slides_dir, 'README.md'))
        return os.path.join(folder, slides_dir)


def pdf(folder='chapter', tab=None):
    """Build the PDF of a tab, the first unless named; return its path.

    Raises:
        ChapterError: a program that makes PDFs is not installed, or the
            chapter is wrong as for `build`.
    """
    missing = pdf_needs.missing()
    if missing:
        raise ChapterError(
            f'The PDF needs {", ".join(missing)}, not found here: on Debian '
            f'or Ubuntu run `{pdf_needs.how_to_install(missing)}`.'
        )
    build(folder, page=False)
    with open_project(folder) as project:
        os.environ.pop('SOURCE_DATE_EPOCH')  # A print tells its date
        builder = project.builder(tab or project.tabs[0])
        # Sphinx writes authors and years itself; natbib only gets labels
        builder.config.build['sphinx_configs'] += (
            "\nlatex_elements['preamble'] += r'\\setcitestyle{numbers}'\n"
        )
        with warnings_are_errors():
            builder.pdf()
        name = builder.config.project['name'] + '.pdf'
        return os.path.join(folder, builder.config.pdf_dir, name)
