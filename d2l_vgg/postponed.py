"""Modules that a library imports at once, imported when they are used."""

import builtins
import contextlib
import importlib.util
import pkgutil
import sys
import types
from collections.abc import Iterator

# For pictures, tables, files, downloads, statistics and other networks
MODULES = {
    *('IPython', 'h5py', 'jax', 'matplotlib', 'matplotlib_inline'),
    *('pandas', 'requests', 'scipy'),
}


class Postponed(types.ModuleType):
    """Stands for what has its name, which its first use imports."""

    def __getattr__(self, name):
        return getattr(pkgutil.resolve_name(self.__name__), name)

    def __setattr__(self, name, value):
        setattr(pkgutil.resolve_name(self.__name__), name, value)

    def __dir__(self):
        return dir(pkgutil.resolve_name(self.__name__))

    def __call__(self, *args, **kwargs):
        return pkgutil.resolve_name(self.__name__)(*args, **kwargs)


@contextlib.contextmanager
def imports_of(*libraries: str) -> Iterator[None]:
    """Within the block, let modules of `libraries` get `MODULES` postponed.

    Where one is not installed, they are told so at once.
    """
    whole = builtins.__import__

    def postpone(name, globals=None, locals=None, fromlist=(), level=0):
        top, _, inner = name.partition('.')
        importer = (globals or {}).get('__name__', '').partition('.')[0]
        if (importer, top) == ('keras', 'jax'):
            raise ImportError('It would only mend an old JAX')
        if (
            top not in MODULES
            or importer not in libraries
            or not (sys.modules.get(top) or importlib.util.find_spec(top))
        ):
            return whole(name, globals, locals, fromlist, level)
        if not fromlist:
            name, fromlist = top, [inner] if inner else []
        module = Postponed(name)
        vars(module).update({n: Postponed(f'{name}.{n}') for n in fromlist})
        return module

    builtins.__import__ = postpone
    try:
        yield
    finally:
        builtins.__import__ = whole
