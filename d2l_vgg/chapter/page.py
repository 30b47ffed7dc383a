"""The web page of all tabs, which Sphinx builds."""

import glob
import os
import shutil
import subprocess
import sys

from d2l_vgg.chapter import ChapterError, markup, notebooks, tabs
from d2l_vgg.chapter.project import warnings_are_errors

HERE = os.path.dirname(os.path.abspath(__file__))
# Comments, strings and names of both have a contrast of 4.5 on their ground
LIGHT, DARK = 'xcode', 'github-dark'
CONFIG = """
html_theme = 'basic'
html_theme_options = {{}}
html_title = project
html_copy_source = False
html_use_index = False
pygments_style = {light!r}
# What cells print is no code
highlight_language = 'none'
bibtex_default_style = 'apa'
# In the menu of a formula nobody looks, but each would be a stop for the tab
mathjax3_config = {{'options': {{'enableMenu': False}}}}
# Of `copyright`, Sphinx would take the year for that of the build
html_context = {{
    'html_tag': '<html lang="en" data-tabs="{names}" data-tab="{first}">',
    'tabs': {tabs!r}, 'titles': {titles!r}, 'rights': {rights!r},
    'other_forms': {forms!r}, 'not_run': {not_run!r},
}}
"""


def build_page(project, pages, forms, not_run):
    """Build the page of all tabs in `_build/html`.

    Args:
        project: the Project
        pages: page -> tab -> the notebook of d2lbook, with what its cells
            print
        forms: page -> tab -> pairs of a name and an address in
            `_build/html`, where the page is in other forms
        not_run: page -> tab -> what was missing to run its cells

    Raises:
        ChapterError: d2lbook or Sphinx warned.
    """
    builder = project.builder('all')
    # Formulas without a network
    builder.config.build['sphinx_extensions'] += ' sphinx-mathjax-offline'
    builder.config.build['sphinx_configs'] += CONFIG.format(
        light=LIGHT,
        names=' '.join(project.tabs),
        first=project.tabs[0],
        tabs=project.tabs,
        titles=tabs.TITLES,
        not_run=not_run,
        forms=forms,
        rights=builder.config.project['copyright'],
    )
    for name, found in pages.items():
        merged = tabs.merge(list(found.values()), project.tabs)
        path = os.path.join(builder.config.eval_dir, name + '.ipynb')
        notebooks.write(merged, path)
    with warnings_are_errors():
        builder.rst()
    rst = builder.config.rst_dir
    _write_static(f'{rst}/_static')
    os.makedirs(f'{rst}/_templates', exist_ok=True)
    shutil.copy(os.path.join(HERE, 'layout.html'), f'{rst}/_templates')
    sphinx = [sys.executable, '-m', 'sphinx', '-q', '-W', '--keep-going']
    done = subprocess.run(
        [*sphinx, '-d', '_build/doctrees', rst, '_build/html'],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise ChapterError(
            f'Sphinx could not build the page: {done.stdout.strip()}'
        )
    for name in project.names:
        source = os.path.join('_build', 'html', 'source', name + '.md')
        os.makedirs(os.path.dirname(source), exist_ok=True)
        shutil.copyfile(name + '.md', source)
    for path in glob.glob('_build/html/**/*.html', recursive=True):
        if not path.startswith('_build/html/slides/'):
            markup.finish(path)


def _write_static(folder):
    """Write the style and the script of the pages.

    d2lbook's own script would load analytics, icons and a forum from other
    hosts: ours takes its place.
    """
    from pygments.formatters import HtmlFormatter

    dark = HtmlFormatter(style=DARK).get_style_defs('.highlight')
    with open(os.path.join(HERE, 'page.css'), encoding='utf-8') as file:
        style = file.read()
    with open(f'{folder}/d2l.css', 'w', encoding='utf-8') as file:
        file.write('@media screen and (prefers-color-scheme: dark) {\n')
        file.write(f'{dark}\n}}\n{style}')
    shutil.copy(os.path.join(HERE, 'page.js'), f'{folder}/d2l.js')
