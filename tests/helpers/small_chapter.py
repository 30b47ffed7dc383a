"""The chapter, and small projects of d2lbook, in folders to write to."""

import os
import shutil

SOURCE = os.path.join(os.path.dirname(__file__), '..', '..', 'chapter')


def copy_of(source, folder):
    """Copy a project without what was built; return its folder."""
    shutil.copytree(
        source, folder, ignore=shutil.ignore_patterns('_build', 'study')
    )
    return str(folder)


def project(folder, **pages):
    """Write a d2lbook project with these pages; return its folder."""
    folder.mkdir()
    (folder / 'part').mkdir()
    (folder / 'config.ini').write_text(
        '[project]\nname = small\ntitle = Small\n'
        '[build]\ntabs = mxnet, pytorch\nnotebooks = *.md\n'
        'exclusions = _build/\neval_notebook = False\n'
        'warning_is_error = True\nresources = references.bib\n'
        '[pdf]\nbibfile = references.bib\n'
    )
    (folder / 'references.bib').write_text(
        '@book{known, author = {Known, A.}, title = {B}, year = {2000},\n'
        'publisher = {C}}\n'
    )
    toc = '\n'.join(pages)
    (folder / 'index.md').write_text(f'# Small\n\n```toc\n\n{toc}\n```\n')
    for name, text in pages.items():
        (folder / (name + '.md')).write_text(text)
    return str(folder)


def read_notebook(folder, tab, name):
    """Return the notebook of a page, as the build of a project left it."""
    import nbformat

    path = os.path.join(folder, '_build', 'notebooks', tab, name + '.ipynb')
    return nbformat.read(path, as_version=4)


def soup_of(folder, name):
    """Return the HTML of a page, as the build of a project left it."""
    import bs4

    path = os.path.join(folder, '_build', 'html', name + '.html')
    with open(path, encoding='utf-8') as file:
        return bs4.BeautifulSoup(file.read(), 'html.parser')
