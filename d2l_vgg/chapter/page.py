"""The web page of all tabs, which Sphinx builds."""

import glob
import json
import shutil
import subprocess
import sys
from pathlib import Path

from d2l_vgg.chapter import ChapterError, live, markup, notebooks, tabs
from d2l_vgg.files import write_text

HERE = Path(__file__).parent
# Comments, strings and names of both have a contrast of 4.5 on their ground
LIGHT, DARK = 'xcode', 'github-dark'
CONFIG = """
html_theme = 'basic'
templates_path = [{templates!r}]
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
    'tabs': {tabs!r}, 'rights': {rights!r},
    'forms': {forms!r}, 'notes': {notes!r},
}}
"""


def build_page(project, pages):
    """Build the page of all tabs in `_build/html`.

    `pages` are page -> tab -> the notebook of d2lbook, with what its cells
    print, and in its metadata a `note` if they were not run.
    """
    builder = project.builder('all')
    # Formulas without a network
    builder.config.build['sphinx_extensions'] += ' sphinx-mathjax-offline'
    builder.config.build['sphinx_configs'] += CONFIG.format(
        light=LIGHT,
        templates=str(HERE),
        names=' '.join(project.tabs),
        first=project.tabs[0],
        tabs=project.tabs,
        notes={
            (name, tab): notebook.metadata['note']
            for name, found in pages.items()
            for tab, notebook in found.items()
            if 'note' in notebook.metadata
        },
        forms=glob.glob('[ns]*/**', root_dir='_build/html', recursive=True),
        rights=builder.config.project['copyright'],
    )
    for name, found in pages.items():
        merged = tabs.merge(list(found.values()), project.tabs)
        notebooks.write(merged, f'{builder.config.eval_dir}/{name}.ipynb')
    builder.rst()
    rst = builder.config.rst_dir
    _write_static(f'{rst}/_static')
    sphinx = [sys.executable, '-m', 'sphinx', '-q', '-W', '--keep-going']
    paths = ['-d', '_build/doctrees', rst, '_build/html']
    done = subprocess.run([*sphinx, *paths], capture_output=True, text=True)
    if done.returncode:
        told = (done.stdout + done.stderr).strip()
        raise ChapterError(f'Sphinx could not build the page: {told}')
    for name in project.names:
        text = Path(f'{name}.md').read_text('utf-8')
        write_text(f'_build/html/source/{name}.md', text)
    sections = []
    for path in sorted(glob.glob('_build/html/**/*.html', recursive=True)):
        if not path.startswith('_build/html/slides/'):
            sections += markup.finish(path)
    # A page from a file may load nothing but scripts
    text = f'const sections = {json.dumps(sections)};\n'
    write_text('_build/html/_static/sections.js', text)


def _write_static(folder):
    """Write style and scripts, for d2lbook's, which ask other hosts."""
    from pygments.formatters import HtmlFormatter

    dark = HtmlFormatter(style=DARK).get_style_defs('.highlight')
    dark = f'@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}\n'
    style = (HERE / 'page.css').read_text('utf-8')
    write_text(f'{folder}/d2l.css', dark + style)
    shutil.copy(HERE / 'page.js', f'{folder}/d2l.js')
    shutil.copy(HERE / 'search.js', folder)
    live.write(f'{folder}/live')
