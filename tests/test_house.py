"""The plan of the house: which part may import which, and how long they are.

An import counts wherever it stands: at the top, in a function, or for types
alone.
"""

import ast
import os

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# The frameworks' folders, and the packages that these may import
FRAMEWORKS = {
    'mxnet': {'mxnet', 'd2l'},
    'torch': {'torch'},
    'tensorflow': {'tensorflow', 'keras'},
    'jax': {'jax', 'flax', 'optax'},
}
LIBRARIES = set().union(*FRAMEWORKS.values(), {'torchvision'})
MAY_IMPORT_LIBRARIES = {
    **FRAMEWORKS,
    # Changes what MXNet itself has imported
    'old_numpy': {'mxnet'},
    # Trains with stock d2l
    'book': LIBRARIES,
}

SHARED = {'training', 'datasets', 'networks'}
WINGS = {'book', 'chapter', 'doctor', 'figures'}
# The files beside the folders that every part may import, and which of them
# each imports itself
GROUND = {
    'compatibility': {'cuda', 'machine', 'old_numpy'},
    'platforms': {'cuda', 'wheels'},
    'children': set(),
    'cuda': {'frameworks'},
    'machine': {'frameworks', 'gpus'},
    'messages': {'foreign_text'},
    'files': set(),
    'foreign_text': set(),
    'frameworks': set(),
    'gpus': set(),
    'limits': set(),
    'old_numpy': set(),
    'postponed': set(),
    'wheels': set(),
    # The package itself: its version
    '': set(),
}
# What each folder or file beside the folders may import besides itself, from
# the top: only what stands below it
MAY_IMPORT = {
    '__main__': {'cli'},
    'cli': {'commands', 'training', *GROUND},
    'commands': {'probing', *WINGS, *FRAMEWORKS, *SHARED, *GROUND},
    'book': {*FRAMEWORKS, *SHARED, *GROUND},
    'chapter': {*SHARED, *GROUND},
    'doctor': {'probing', *SHARED, *GROUND},
    # Trains with a framework that it is told
    'probing': {*FRAMEWORKS, *GROUND},
    **{framework: {*SHARED, *GROUND} for framework in FRAMEWORKS},
    # In a notebook it draws its curves
    'training': {'networks', 'datasets', 'figures', *GROUND},
    'figures': {*GROUND},
    'datasets': {*GROUND},
    'networks': {*GROUND},
    **GROUND,
}


# How many lines of Python each part has at most, and all of them together. A
# change that adds some takes others away; whoever raises a figure says why
MOST_LINES = {
    'mxnet': 755,
    'torch': 893,
    'tensorflow': 658,
    'jax': 789,
    'training': 3536,
    'datasets': 530,
    'networks': 889,
    'figures': 603,
    'book': 516,
    'chapter': 1350,
    'commands': 1198,
    'beside the folders': 1790,
}


def module_of(path):
    """Return a.b.c of the file a/b/c.py."""
    name = path[: -len('.py')].replace('/', '.')
    return name[: -len('.__init__')] if name.endswith('__init__') else name


def part_of(module):
    """Return the folder or the file beside the folders: the second name."""
    return module.split('.')[1] if '.' in module else ''


@pytest.fixture(scope='module')
def files():
    """Path -> (text, tree) of every file of the package."""
    found = {}
    for folder, _, names in os.walk(os.path.join(ROOT, 'd2l_vgg')):
        for name in names:
            if name.endswith('.py'):
                path = os.path.join(folder, name)
                with open(path, encoding='utf-8') as file:
                    text = file.read()
                path = os.path.relpath(path, ROOT).replace(os.sep, '/')
                found[path] = text, ast.parse(text)
    assert 'd2l_vgg/__init__.py' in found
    return found


@pytest.fixture(scope='module')
def imports(files):
    """Path -> the modules that a file imports, each with its first line."""
    modules = set(map(module_of, files))
    return {path: imports_of(path, files, modules) for path in files}


def imports_of(path, files, modules):
    found = {}
    for node in ast.walk(files[path][1]):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f'{path}:{node.lineno} imports by a dot'
            inner = [f'{node.module}.{alias.name}' for alias in node.names]
            names = [n if n in modules else node.module for n in inner]
        for name in names:
            found.setdefault(name, node.lineno)
    return found


def tell(wrong):
    """Return the message of a test, a line for each thing that is wrong."""
    return '\n'.join(['', *wrong])


def test_imports_of_the_package_run_down_only(imports):
    order = list(MAY_IMPORT)
    wrong = [
        f'MAY_IMPORT lets {part} import {other}, which is above it'
        for part, below in MAY_IMPORT.items()
        for other in below
        if order.index(other) <= order.index(part)
    ]
    parts = {part_of(module_of(path)) for path in imports}
    gone = set(order) - parts
    wrong += [f'MAY_IMPORT has {part}, which is gone' for part in gone]
    for path, modules in imports.items():
        part = part_of(module_of(path))
        if part not in MAY_IMPORT:
            wrong.append(f'{path} has no place in MAY_IMPORT')
            continue
        for module, line in modules.items():
            ours = module.split('.')[0] == 'd2l_vgg'
            if ours and part_of(module) not in {part, *MAY_IMPORT[part]}:
                wrong.append(f'{path}:{line} imports {module}')
    assert not wrong, tell(wrong)


def test_a_framework_is_imported_by_its_own_folder_only(imports):
    wrong = []
    for path, modules in imports.items():
        own = MAY_IMPORT_LIBRARIES.get(part_of(module_of(path)), set())
        for module, line in modules.items():
            if module.split('.')[0] in LIBRARIES - own:
                wrong.append(f'{path}:{line} imports {module}')
    assert not wrong, tell(wrong)


def test_no_imports_go_in_a_circle(imports):
    paths = {module_of(path): path for path in imports}
    done = set()

    def follow(module, trail):
        if module in trail:
            circle = trail[trail.index(module) :]
            wrong = [
                f'{paths[one]}:{imports[paths[one]][other]} imports {other}'
                for one, other in zip(circle, [*circle[1:], module])
            ]
            pytest.fail(tell(wrong))
        if module not in done:
            for other in sorted(set(imports[paths[module]]) & set(paths)):
                follow(other, [*trail, module])
            done.add(module)

    for module in paths:
        follow(module, [])


def test_click_is_imported_by_command_line_only(imports):
    wrong = [
        f'{path}:{modules["click"]} imports click'
        for path, modules in imports.items()
        if 'click' in modules
        and part_of(module_of(path)) not in ('cli', 'commands')
    ]
    assert not wrong, tell(wrong)


def test_parts_are_no_larger_than_planned(files):
    lines = dict.fromkeys(MOST_LINES, 0)
    for path, (text, _) in files.items():
        folder = path.split('/')[1]
        part = folder if folder in lines else 'beside the folders'
        lines[part] += text.count('\n')
    wrong = [
        f'{part} has {lines[part]} lines, more than {most}'
        for part, most in MOST_LINES.items()
        if lines[part] > most
    ]
    assert not wrong, tell(wrong)


def test_files_and_functions_are_short(files):
    wrong = []
    for path, (text, tree) in files.items():
        lines = text.count('\n')
        if lines > 400:
            wrong.append(f'{path} has {lines} lines')
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = node.end_lineno - node.lineno + 1
                if lines > 60:
                    wrong.append(
                        f'{path}:{node.lineno} {node.name} has {lines} lines'
                    )
    assert not wrong, tell(wrong)
