"""Where the files of Fashion-MNIST may lie, and where downloads go."""

from __future__ import annotations

import os


def absolute(path: str | os.PathLike) -> str:
    """Return a path in full, `~` expanded.

    Raises:
        FileNotFoundError: it begins with `~/`, and there is no home.
    """
    full = os.path.expanduser(os.fspath(path))
    # What stays of `~` would become a folder of that name
    if full.split(os.sep)[0] == '~':
        raise FileNotFoundError(
            f'{path} cannot be found, since this user has no home folder: '
            'name a folder without ~, for example in $D2L_VGG_DATA.'
        )
    return os.path.abspath(full)


def default_root() -> str:
    """Return the folder that downloads go to.

    That is $D2L_VGG_DATA or, when it is not set, a cache of our own: MXNet
    would replace what it finds in its cache by its own archive.

    Raises:
        FileNotFoundError: it is not set, and there is no home.
    """
    return absolute(os.environ.get('D2L_VGG_DATA') or _own_cache())


def places(root: str | None = None) -> list[str]:
    """Return the folders in which the files are looked for, in order.

    They are the given folder, $D2L_VGG_DATA, the data folders that d2l and
    torchvision use, our own cache, MXNet's and Keras's. Below each of the
    data folders, `FashionMNIST/raw` (torchvision's) and `fashion-mnist` count
    too. Those in a home that cannot be found are left out.

    Raises:
        FileNotFoundError: the given folder is in such a home.
    """
    folders = [absolute(folder) for folder in given(root)]
    searched = []
    if os.environ.get('D2L_VGG_DATA'):
        searched += with_subfolders(os.environ['D2L_VGG_DATA'])
    for folder in ('data', os.path.join('..', 'data')):
        searched += with_subfolders(folder)
    mxnet = os.environ.get('MXNET_HOME') or os.path.join('~', '.mxnet')
    keras = os.environ.get('KERAS_HOME') or os.path.join('~', '.keras')
    searched.append(_own_cache())
    searched.append(os.path.join(mxnet, 'datasets', 'fashion-mnist'))
    searched += with_subfolders(os.path.join('~', 'data'))
    searched.append(os.path.join(keras, 'datasets', 'fashion-mnist'))
    for folder in searched:
        try:
            folders.append(absolute(folder))
        except FileNotFoundError:
            continue
    return list(dict.fromkeys(folders))


def given(root: str | None) -> list[str]:
    """Return the folders that a user means by `root`, in full."""
    return [absolute(f) for f in with_subfolders(root)] if root else []


def with_subfolders(folder: str) -> list[str]:
    """Return the folder and those in it where other libraries put files."""
    return [
        os.fspath(folder),
        os.path.join(folder, 'FashionMNIST', 'raw'),
        os.path.join(folder, 'fashion-mnist'),
    ]


def _own_cache():
    caches = os.environ.get('XDG_CACHE_HOME') or os.path.join('~', '.cache')
    return os.path.join(caches, 'd2l_vgg', 'fashion-mnist')
