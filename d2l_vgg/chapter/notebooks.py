"""Notebooks: clean ones for readers, whose cells run for the page."""

import html
import importlib.util
import os
import re

from d2l_vgg.chapter import ChapterError
from d2l_vgg.files import write_text

# Without them the cells of a tab are not run
NEEDS = {
    'mxnet': ['mxnet', 'd2l'],
    'pytorch': ['torch'],
    'tensorflow': ['tensorflow', 'keras'],
    'jax': ['jax', 'flax', 'optax'],
}
SVG = 'image/svg+xml'
# The class of a fence, ```{.python .input .long}, whose cell trains: the page
# does not show what it prints, since the builder cuts it short
LONG = 'long'
# The same for a cell that a notebook shows folded: a solution
FOLDED = 'folded'

# Of a notebook that somebody opens elsewhere, such as on Colab or Kaggle
FIRST_CELL = """\
# Where this project is missing, as on Colab and Kaggle, it is installed here
import glob
import importlib.util

if importlib.util.find_spec('d2l_vgg') is None:
    wheels = glob.glob('d2l_vgg-*.whl') + glob.glob('/kaggle/input/*/*.whl')
    if not wheels:
        raise FileNotFoundError(
            'Upload the wheel of this project, d2l_vgg-*.whl, beside this '
            'notebook: `pip wheel --no-deps .` in a clone makes it.')
    package = wheels[-1]
"""
FOUND = """
from d2l_vgg.chapter.found import found

print(found('{framework}'))
"""


def clean(notebook, name, project, tab):
    """Return d2lbook's notebook of a page without d2lbook's marks."""
    from d2lbook.slides import remove_slide_marks
    from nbformat import v4

    cited, cells = [], []
    for old in remove_slide_marks(notebook).cells:
        if is_code(old):
            classes, place = classes_of(old), old.metadata['origin_pos']
            about = {'origin_pos': place, 'classes': classes}
            if FOLDED in classes:
                hidden = {'source_hidden': True, 'outputs_hidden': True}
                about['jupyter'] = hidden
            cells.append(v4.new_code_cell(old.source, metadata=about))
        else:
            text = project.marks.replace(old.source, name, cited)
            cells += [v4.new_markdown_cell(text)] if text else []
    if tab in project.install and any(map(is_code, cells)):
        # Below the title
        place = 0 if is_code(cells[0]) else 1
        cells.insert(place, _first_cell(project.install[tab], notebook))
    if cited:
        works = [f'- {project.marks.reference(key)}' for key in cited]
        text = '\n'.join(['## References\n', *works])
        cells.append(v4.new_markdown_cell(text))
    for i, cell in enumerate(cells):
        cell.id = f'cell-{i}'  # By itself it would be random
    kernel = dict(name='python3', display_name='Python 3', language='python')
    about = {'kernelspec': kernel, 'language_info': {'name': 'python'}}
    return v4.new_notebook(cells=cells, metadata=about)


def _first_cell(install, notebook):
    """Return a cell that installs what is missing and tells what is there."""
    import nbformat

    lines = [f'    %pip install -q {line}\n' for line in install.splitlines()]
    source = FIRST_CELL + ''.join(lines)
    source += '    importlib.invalidate_caches()\n'
    code = '\n'.join(cell.source for cell in filter(is_code, notebook.cells))
    used = re.search(r'^from d2l_vgg import (\w+) as', code, re.M)
    if used:
        source += FOUND.format(framework=used.group(1))
    # It is not the page's, and what it prints is of one machine
    about = {'origin_pos': -1, 'classes': [LONG]}
    about['jupyter'] = {'source_hidden': True}
    return nbformat.v4.new_code_cell(source.strip(), metadata=about)


def is_code(cell):
    return cell.cell_type == 'code'


def classes_of(cell):
    """Return the classes of the fence that a cell stood in."""
    return cell.metadata.get('attributes', {}).get('classes', [])


def missing(tab):
    """Return which modules of a tab's framework are not installed."""
    find = importlib.util.find_spec
    return ', '.join(n for n in NEEDS.get(tab, []) if find(n) is None)


def run(notebook, name, tab):
    """Run the cells of a clean notebook where it is, training cut short."""
    from nbclient import NotebookClient, exceptions

    where = os.path.dirname(f'_build/notebooks/{tab}/{name}')
    client = NotebookClient(
        notebook,
        timeout=1200,
        kernel_name='python3',
        # Two builds must be the same
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=['--log-level=ERROR'],
        resources={'metadata': {'path': where}},
    )
    ends = exceptions.CellControlSignal, exceptions.DeadKernelError
    try:
        client.execute()
    except ends as error:
        # Of the page's own cells, which the first one of ours is not
        cells = list(filter(is_code, notebook.cells))
        ours = cells[0].metadata['origin_pos'] < 0
        number = client.code_cells_executed - ours
        what = str(error).splitlines()[0]
        if isinstance(error, exceptions.CellExecutionError):
            what = f'{error.ename}: {error.evalue}'
        raise ChapterError(
            f'{name}.md, tab {tab}, code cell {number}: {what}'
        ) from error


def copy_output(source, target):
    """Put what the cells of a clean notebook printed into d2lbook's own.

    The page shows it, except that of cells that train, and warnings. Pictures
    get the words of the fence: {.python .input alt="..."}.
    """
    code = filter(is_code, source.cells)
    outputs = {cell.metadata['origin_pos']: cell.outputs for cell in code}
    for cell in filter(is_code, target.cells):
        if LONG in classes_of(cell):
            continue
        words = cell.metadata.get('attributes', {}).get('alt')
        for output in outputs[cell.metadata['origin_pos']]:
            data = output.get('data', {})
            if words and SVG in data:
                title = rf'\1<title>{html.escape(words)}</title>'
                data[SVG] = re.sub(r'(<svg[^>]*>)', title, data[SVG], count=1)
            if output.get('name') != 'stderr':
                cell.outputs.append(output)


def remove_output(notebook, only_long=False):
    """Take away what cells printed and what only the builder wanted to know.

    With `only_long`, what cells printed that do not train is left.
    """
    for cell in filter(is_code, notebook.cells):
        cell.execution_count = None
        if not only_long or LONG in cell.metadata['classes']:
            cell.outputs = []
        del cell.metadata['classes']


def write(notebook, path):
    import nbformat

    write_text(path, nbformat.writes(notebook) + '\n')
