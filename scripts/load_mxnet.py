"""See that the library of the installed MXNet loads on this machine.

A missing libquadmath is mended with the copy in NumPy's wheel, for which no
root is needed; what else is missing is named in one line.
"""

import ctypes
import importlib.util
import sys
from pathlib import Path

from d2l_vgg.cuda import advice


def load(library):
    """Return why `library` does not load, or None when it does."""
    try:
        ctypes.CDLL(str(library))
    except OSError as error:
        return str(error)
    return None


def link_libquadmath(folder):
    """Put a link to NumPy's libquadmath where MXNet looks, if there is one.

    `folder` is MXNet's: its library searches there before anywhere else.
    """
    for copy in sorted(folder.parent.glob('numpy.libs/libquadmath*.so*')):
        link = folder / 'libquadmath.so.0'
        link.unlink(missing_ok=True)  # It may lead to a NumPy that is gone
        link.symlink_to(Path('..', 'numpy.libs', copy.name))
        print(f'setup: MXNet will use the libquadmath of NumPy ({link})')
        break


def main():
    # The package is only found, not imported: that would load the library
    folder = Path(importlib.util.find_spec('mxnet').origin).parent
    (library,) = folder.glob('libmxnet.*')
    error = load(library)
    if error and 'libquadmath' in error:
        link_libquadmath(folder)
        error = load(library)
    if error:
        sys.exit(
            f'setup: MXNet does not load ({error}): {advice(error)}, then '
            'try again'
        )


if __name__ == '__main__':
    main()
