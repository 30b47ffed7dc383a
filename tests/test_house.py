"""The plan of the house: which part may import which, and how long they are.

What runs against it is named here with its reason, one by one.
"""

import ast
import os

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# The frameworks' folders, and the packages that only these may import
FRAMEWORKS = {'mxnet', 'torch', 'tensorflow', 'jax'}
LIBRARIES = {
    'mxnet',
    'd2l',
    'torch',
    'tensorflow',
    'keras',
    'jax',
    'flax',
    'optax',
}

SHARED = {'networks', 'datasets', 'training'}
# What each folder may import, besides itself and the ground, which are the
# files beside the folders
MAY_IMPORT = {
    'networks': set(),
    'datasets': set(),
    'training': {'networks', 'datasets'},
    **{framework: SHARED for framework in FRAMEWORKS},
    # It trains in a framework, and makes its stock code run there
    'book': SHARED | FRAMEWORKS,
    'chapter': SHARED,
    # What the chapter needs, too
    'doctor': SHARED | {'chapter'},
    'launch': SHARED,
    'commands': SHARED | FRAMEWORKS | {'book', 'chapter', 'doctor', 'launch'},
    'cli': SHARED | {'commands'},
    'worker': SHARED | {'cli'},
}
# They prepare the import of MXNet, or show what d2l made of it
MAY_IMPORT_LIBRARIES = {'compatibility', 'old_numpy', 'book', 'chapter'}

TOO_LONG = {
    # Ten garments as one drawing each, and nothing but that
}


def module_of(path):
    """Return a.b.c of the file a/b/c.py."""
    name = path[: -len('.py')].replace('/', '.')
    return name[: -len('.__init__')] if name.endswith('__init__') else name


def read_package():
    """Return path -> (text, tree) of every file."""
    found = {}
    for folder, _, names in os.walk(os.path.join(ROOT, 'd2l_vgg')):
        for name in names:
            if name.endswith('.py'):
                path = os.path.join(folder, name)
                with open(path, encoding='utf-8') as file:
                    text = file.read()
                path = os.path.relpath(path, ROOT).replace(os.sep, '/')
                found[path] = text, ast.parse(text)
    return found


FILES = read_package()
MODULES = {module_of(path): path for path in FILES}


def running(node):
    """Iterate over what runs: not over what is there for types alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and 'TYPE_CHECKING' in ast.dump(
            child.test
        ):
            continue
        yield child
        yield from running(child)


def imports_of(path):
    """Return the modules that a file imports, anywhere in it."""
    found = set()
    for node in running(FILES[path][1]):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f'{path}: relative imports'
            for alias in node.names:
                inner = f'{node.module}.{alias.name}'
                found.add(inner if inner in MODULES else node.module)
    return found


def part_of(module):
    """Return the folder or the file beside the folders: the second name."""
    return module.split('.')[1] if '.' in module else ''


@pytest.mark.parametrize('path', FILES)
def test_no_import_runs_upwards(path):
    part = part_of(module_of(path))
    allowed = MAY_IMPORT.get(part, set()) | {part}
    for module in imports_of(path):
        top = module.split('.')[0]
        if top == 'd2l_vgg':
            other = part_of(module)
            ground = other not in MAY_IMPORT
            assert ground or other in allowed, f'{path} imports {module}'
        elif top in LIBRARIES and part not in MAY_IMPORT_LIBRARIES:
            assert part in FRAMEWORKS, f'{path} imports {module}'


def test_no_framework_imports_another():
    for path in FILES:
        part = part_of(module_of(path))
        own = {
            'mxnet': {'mxnet', 'd2l'},
            'tensorflow': {'tensorflow', 'keras'},
            'jax': {'jax', 'flax', 'optax'},
        }.get(part, {part})
        if part in FRAMEWORKS:
            tops = {module.split('.')[0] for module in imports_of(path)}
            assert tops & LIBRARIES <= own, path


def test_nothing_goes_in_a_circle():
    graph = {
        module: imports_of(path) & set(MODULES)
        for module, path in MODULES.items()
    }
    done = set()

    def follow(module, trail):
        assert module not in trail, ' -> '.join([*trail, module])
        if module not in done:
            for other in sorted(graph[module]):
                follow(other, [*trail, module])
            done.add(module)

    for module in graph:
        follow(module, [])


def test_only_commands_know_argparse():
    for path in FILES:
        if 'argparse' in imports_of(path):
            assert part_of(module_of(path)) in ('commands', 'cli'), path


@pytest.mark.parametrize('path', FILES)
def test_files_and_functions_are_short(path):
    text, tree = FILES[path]
    limit = TOO_LONG.get(path, 400)
    assert text.count('\n') <= limit
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < 60, node.name
