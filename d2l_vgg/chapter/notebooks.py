"""Notebooks: clean ones for readers, whose cells run for the page."""

import ast
import importlib.util
import os
import re

from d2l_vgg.chapter import ChapterError

# What a folder of this package, or a module of d2l, imports in its turn
NEEDS = {
    'd2l_vgg.mxnet': ['mxnet', 'd2l'],
    'd2l_vgg.torch': ['torch'],
    'd2l_vgg.tensorflow': ['tensorflow', 'keras'],
    'd2l_vgg.jax': ['jax', 'flax', 'optax'],
    'd2l.mxnet': ['mxnet'],
    'd2l.torch': ['torch', 'torchvision'],
    'd2l.tensorflow': ['tensorflow'],
    'd2l.jax': ['jax', 'flax', 'optax', 'tensorflow', 'tensorflow_datasets'],
}
# The class of a fence, ```{.python .input .long}, whose cell trains: the page
# does not show what it prints, since the builder cuts it short
LONG = 'long'
# The same for a cell that a notebook shows folded: a solution
FOLDED = 'folded'


def clean(notebook, name, marks, install=None):
    """Return a notebook as a reader wants it, without d2lbook's marks.

    Args:
        notebook: of one tab, as d2lbook makes it
        name: the page, as `marks` knows it
        marks: what the Marks of the project refer to
        install: what pip is told by a first cell, one call a line

    Raises:
        ChapterError: a mark refers to what is nowhere.
    """
    import nbformat
    from d2lbook.slides import remove_slide_marks

    cited = []
    cells = []
    if install is not None and any(map(is_code, notebook.cells)):
        cells.append(_first_cell(install, notebook))
    for old in remove_slide_marks(notebook).cells:
        if old.cell_type == 'markdown':
            text = _unfold(marks.replace(old.source, name, cited))
            if text:
                cells.append(nbformat.v4.new_markdown_cell(text))
        else:
            cell = nbformat.v4.new_code_cell(old.source)
            cell.metadata['origin_pos'] = old.metadata['origin_pos']
            cell.metadata['classes'] = classes_of(old)
            if FOLDED in classes_of(old):
                hidden = {'source_hidden': True, 'outputs_hidden': True}
                cell.metadata['jupyter'] = hidden
            cells.append(cell)
    if cited:
        lines = [f'- {marks.reference(key)}' for key in cited]
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


def _first_cell(install, notebook):
    """Return a cell that installs what is missing and tells what is there.

    It tells of the framework that the notebook imports from this package.
    """
    import nbformat

    source = FIRST_CELL
    for line in install.splitlines():
        source += f'    %pip install -q {line}\n'
    source += '    importlib.invalidate_caches()\n'
    code = '\n'.join(cell.source for cell in filter(is_code, notebook.cells))
    used = re.search(r'^from d2l_vgg import (\w+) as', code, re.M)
    if used:
        source += FOUND.format(framework=used.group(1))
    cell = nbformat.v4.new_code_cell(source.strip())
    # It is not the page's, and what it prints is of one machine
    cell.metadata['origin_pos'] = -1
    cell.metadata['classes'] = [LONG]
    return cell


def _unfold(text):
    """Show what is folded, where code in it would leave it cut in two."""
    if text.count('<details') == text.count('</details>'):
        return text
    text = re.sub(r'</?details[^>]*>', '', text)
    return re.sub(
        r'<summary>\s*(.*?)\s*</summary>', r'**\1**', text, flags=re.S
    ).strip()


def is_code(cell):
    """Return whether a cell holds code, not text."""
    return cell.cell_type == 'code'


def classes_of(cell):
    """Return the classes of the fence that a cell stood in."""
    return cell.metadata.get('attributes', {}).get('classes', [])


def missing_imports(notebook):
    """Return the modules that its cells import but that are not installed.

    A module of d2l, or of this package, counts with what it imports itself.
    """
    found = {}
    for cell in filter(is_code, notebook.cells):
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
                if inner:
                    needs = NEEDS.get(f'{top}.{inner[0]}', [])
                    found.update(dict.fromkeys(needs))
    return [name for name in found if importlib.util.find_spec(name) is None]


def run(notebook, name, tab):
    """Run the cells of a clean notebook, training cut short.

    Raises:
        ChapterError: a cell raised, ran too long or ended its kernel.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import (
        CellExecutionError,
        CellTimeoutError,
        DeadKernelError,
    )

    started = []
    client = NotebookClient(
        notebook,
        timeout=1200,
        kernel_name='python3',
        record_timing=False,  # Two builds must be the same
        on_cell_start=lambda cell, cell_index: started.append(cell),
        extra_arguments=['--log-level=ERROR'],
        resources={
            'metadata': {'path': os.path.dirname(clean_path(tab, name))}
        },
    )
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        # The page's own cells are counted, not what stands before them
        number = sum(
            is_code(cell) and cell.metadata.get('origin_pos', -1) >= 0
            for cell in started
        )
        where = f'{name}.md, tab {tab}, code cell {number}'
        if isinstance(error, CellTimeoutError):
            what = f'ran longer than {client.timeout} seconds'
        elif isinstance(error, DeadKernelError):
            what = 'made its kernel die'
        else:
            what = f'raised {error.ename}: {error.evalue}'
        raise ChapterError(f'{where} {what}') from error


def copy_output(source, target):
    """Put what the cells of a clean notebook printed into d2lbook's own.

    The page shows it, but for the cells that train and for warnings.
    """
    outputs = {
        cell.metadata['origin_pos']: cell.outputs
        for cell in filter(is_code, source.cells)
    }
    for cell in target.cells:
        if is_code(cell) and LONG not in classes_of(cell):
            cell.outputs = [
                output
                for output in outputs[cell.metadata['origin_pos']]
                if output.get('name') != 'stderr'
            ]


def remove_output(notebook, only_long=False):
    """Take away what cells printed and what only the builder wanted to know.

    With `only_long`, what cells printed that do not train is left.
    """
    for cell in filter(is_code, notebook.cells):
        cell.execution_count = None
        if not only_long or LONG in cell.metadata['classes']:
            cell.outputs = []
        del cell.metadata['classes']


def clean_path(tab, name):
    """Return where the clean notebook of a page is kept."""
    return os.path.join('_build', 'notebooks', tab, name + '.ipynb')


def write(notebook, path):
    """Write a notebook, and the folder that it is in.

    Raises:
        OSError: it cannot be written.
    """
    import nbformat

    os.makedirs(os.path.dirname(path), exist_ok=True)
    nbformat.write(notebook, path)
