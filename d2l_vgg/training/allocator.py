"""Let the memory of one training step serve the next.

GNU's C library gives large arrays back to the kernel as soon as they are
freed, which clears their pages when the next step asks for them: a third of
a step in PyTorch.
"""

import contextlib
import ctypes

from d2l_vgg.training import memory

# The numbers in malloc.h
TRIM_THRESHOLD, MMAP_MAX = -1, -4


@contextlib.contextmanager
def kept(needed):
    """Keep what is freed in this block, which takes `needed` bytes."""
    library = glibc()
    if library is None or needed is None or not memory.is_ample(needed):
        yield
        return
    library.mallopt(TRIM_THRESHOLD, -1)
    library.mallopt(MMAP_MAX, 0)
    try:
        yield
    finally:
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
