"""Let the memory of one training step serve the next.

GNU's C library gives large arrays back to the kernel as soon as they are
freed, which clears their pages when the next step asks for them.
"""

import contextlib
import ctypes

from d2l_vgg.training import memory

# The numbers in malloc.h
TRIM_THRESHOLD, MMAP_MAX = -1, -4


def keep(needed):
    """Keep what is freed from now on, if `needed` bytes are far from all."""
    library = glibc()
    if library is not None and needed is not None and memory.is_ample(needed):
        library.mallopt(TRIM_THRESHOLD, -1)
        library.mallopt(MMAP_MAX, 0)


@contextlib.contextmanager
def giving_back():
    """Give back after this block what `keep` has kept in it."""
    try:
        yield
    finally:
        library = glibc()
        if library is not None:
            # What the library begins with
            library.mallopt(TRIM_THRESHOLD, 128 * 1024)
            library.mallopt(MMAP_MAX, 65536)
            library.malloc_trim(0)


def glibc():
    """Return the C library of this process, None if it is not GNU's."""
    try:
        library = ctypes.CDLL(None)
    except (OSError, TypeError):
        return None
    return library if hasattr(library, 'gnu_get_libc_version') else None
